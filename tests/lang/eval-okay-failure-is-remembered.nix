# A thunk that has failed fails again the same way.
let x = throw "again"; t = builtins.tryEval; in [ (t x).success (t x).success (t (x + 1)).success ]
