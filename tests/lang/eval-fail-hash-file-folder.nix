builtins.hashFile "sha256" ./files/tree
