# Expressions as data, interpreted with an environment.
let
  eval = env: e:
    if builtins.isInt e then e
    else if builtins.isString e then env.${e} or (throw "unbound ${e}")
    else { add = eval env e.l + eval env e.r; mul = eval env e.l * eval env e.r; fn = x: eval (env // { ${e.arg} = x; }) e.body; app = eval env e.f (eval env e.x); }.${e.op};
  square = { op = "fn"; arg = "x"; body = { op = "mul"; l = "x"; r = "x"; }; };
in [ (eval { } { op = "app"; f = square; x = { op = "add"; l = 3; r = 4; }; }) (eval { y = 2; } { op = "mul"; l = "y"; r = 21; }) (builtins.tryEval (eval { } "z")).success ]
