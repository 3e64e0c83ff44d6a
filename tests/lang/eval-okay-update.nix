{
  rightWins = { a = 1; b = 1; } // { b = 2; c = 2; };
  shallow = { a = { x = 1; }; } // { a = { y = 2; }; };
  empty = [ ({ } // { }) ({ a = 1; } // { }) ({ } // { a = 1; }) ];
  lazy = builtins.attrNames ({ a = throw "a"; } // { b = throw "b"; });
  chain = ({ a = 1; } // { b = 2; } // { c = 3; } // { a = 4; }).a;
  many = builtins.foldl' (set: n: set // { ${"k${toString n}"} = n; }) { k3 = "old"; z = 0; } [ 5 4 3 2 1 ];
}
