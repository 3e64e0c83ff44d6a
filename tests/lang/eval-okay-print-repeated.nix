# The same set or list printed again below itself is told as repeated.
let set = { a = 1; }; list = [ 1 ]; in { inherit set list; again = set; deep = { inherit set; }; lists = [ list list ]; empty = let e = { }; in [ e e ]; emptyList = let e = [ ]; in [ e e ]; }
