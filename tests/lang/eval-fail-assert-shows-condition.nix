assert let a = { b = [ 1 ]; }; in (a.b or [ ]) ++ [ 2 ] != [ 1 2 ] || -1 > 2 || a ? ${"y z"}; true
