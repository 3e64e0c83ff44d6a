{
  a = 1;
  f = { x, y ? 2 }: x;
  list = [ "text" ./files/plain.txt 1.25 null false ];
  "quoted \"name\"" = "<&>'\" \n \t";
  nested = { inherit (builtins) add; g = x: x; all = whole @ { ... }: 1; };
}
