a: [ (a.or) (a.b or a.c) (a.b or 1 2) ({ or = 1; }) (a ? or) ]
