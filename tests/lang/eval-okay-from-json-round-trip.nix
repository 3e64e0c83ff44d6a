let v = { a = [ 1 2.25 "x" null true { b = { }; } ]; c = "ä\n"; }; in [ (builtins.fromJSON (builtins.toJSON v) == v) (builtins.fromJSON (builtins.readFile ./files/data.json)) ]
