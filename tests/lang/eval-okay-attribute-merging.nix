{
  a = { b = 1; };
  a.c = 2;
  d.e.f = 1;
  d = { g = 2; };
  d.e.h = 3;
  i.j = { k = 1; };
  i.j.l = { m = 2; };
  i.j.l.n = 3;
  o = { };
  o.p = 1;
  q = { inherit (builtins) nixVersion; };
  q.nixVersion' = builtins.isString builtins.nixVersion;
} // { q = "left out"; }
