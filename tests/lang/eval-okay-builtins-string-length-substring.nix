with builtins; {
  length = map stringLength [ "" "abc" "ä" "a\nb" ];
  substring = [ (substring 0 2 "hello") (substring 3 10 "hello") (substring 5 1 "hello") (substring 9 1 "hello") (substring 1 0 "hello") (substring 0 (-1) "hello") (substring 2 (-1) "hello") ];
  ofNumber = (tryEval (substring 0 1 "12")).value;
  coerces = [ (substring 0 3 { outPath = "path-like"; }) (stringLength { __toString = _: "four"; }) ];
}
