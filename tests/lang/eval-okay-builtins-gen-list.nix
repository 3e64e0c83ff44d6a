with builtins; [ (genList (x: x) 0) (genList (x: x * x) 5) (map (f: f 1) (genList (n: m: n + m) 3)) (length (genList throw 100)) ]
