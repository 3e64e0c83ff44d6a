{ self = builtins.builtins.length [ 1 ]; shadow = let builtins = { length = _: "mine"; }; in builtins.length [ ]; type = builtins.typeOf builtins; same = builtins.builtins == builtins; }
