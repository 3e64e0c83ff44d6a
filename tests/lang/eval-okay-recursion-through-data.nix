let
  ones = [ 1 ones ];
  set = { self = set; a = 1; };
  at = n: list: if n == 0 then builtins.head list else at (n - 1) (builtins.elemAt list 1);
in [ (at 50 ones) set.self.self.self.a ]
