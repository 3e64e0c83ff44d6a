# Every intermediate result is forced, needed or not.
builtins.foldl' (a: b: if b == 1 then throw "intermediate" else 7) 0 [ 1 2 ]
