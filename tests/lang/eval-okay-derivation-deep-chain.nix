let make = n: derivation ({ name = "n${toString n}"; system = "s"; builder = "b"; } // (if n == 0 then { } else { previous = make (n - 1); })); in [ (make 30).drvPath (make 30).outPath ]
