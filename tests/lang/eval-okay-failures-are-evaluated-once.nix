# Each level is wanted twice: without a memory of what has failed, the innermost value would be evaluated 2^60 times.
let
  f = n:
    if n == 0 then
      throw "x"
    else
      let
        y = f (n - 1);
      in
      if (builtins.tryEval y).success then 1 else y;
  told = builtins.trace "evaluated" (throw "y");
in
[ (builtins.tryEval (f 60)) (builtins.tryEval told) (builtins.tryEval told) ]
