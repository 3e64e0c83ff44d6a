{
  plain = { a.b.c = 1; }.a.b.c;
  quoted = { "a b".c = 1; }."a b".c;
  dynamic = let k = "b"; in { a.b = 2; }.a.${k};
  interpolated = let k = "b"; in { ab = 3; }."a${k}";
  ofCall = (x: { y = x; }) 1;
  parenthesised = ((x: { y = x; }) 1).y;
  numberKey = { "1" = "one"; }."1";
}
