with builtins; {
  base = map baseNameOf [ "a/b" "a" "/" "" "a/" "a//" "/a/b/" "//" "a/." "a/b//c" ./x/y /. ];
  dir = map dirOf [ "a/b" "a" "/" "" "a/" "/a" "a/b/c" "a//b" "/a/b/" "//a" ];
  dirPath = [ (dirOf /a/b) (dirOf /a) (dirOf /.) ];
  kinds = [ (typeOf (dirOf /a/b)) (typeOf (dirOf "/a/b")) (typeOf (baseNameOf /a/b)) ];
  coerces = [ (baseNameOf { outPath = "/x/y"; }) (dirOf { outPath = "/x/y"; }) ];
}
