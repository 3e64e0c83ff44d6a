with builtins; {
  plain = mapAttrs (n: v: "${n}=${toString v}") { a = 1; b = 2; };
  empty = mapAttrs (throw "unused") { };
  lazy = attrNames (mapAttrs (n: v: throw n) { a = throw "v"; });
  sameNames = mapAttrs (n: v: n) { "x y" = 1; };
}
