builtins.foldl' (a: b: a) (throw "start of an empty fold") [ ]
