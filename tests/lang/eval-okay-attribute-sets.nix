{
  empty = { };
  quoted = { "a b" = 1; "" = 2; "ä" = 3; };
  nested.a.b = 1;
  nested.a.c = 2;
  nested.d = 3;
  merged = { x = 1; };
  merged.y = 2;
  sorted = builtins.attrNames { b = 1; a = 2; B = 3; "1" = 4; "-" = 5; aa = 6; a' = 7; };
  keywordLike = { or = 1; thenx = 2; };
  self = rec { x = self'; self' = 5; };
  lazyValues = builtins.attrNames { a = throw "a"; };
}
