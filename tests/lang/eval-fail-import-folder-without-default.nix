import ./files/tree
