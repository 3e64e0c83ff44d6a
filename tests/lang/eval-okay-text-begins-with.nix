# `substring 0 (stringLength prefix) text == prefix`, also where it is not what it looks like.
let
  inherit (builtins) stringLength substring trace;
  begins = prefix: text: substring 0 (stringLength prefix) text == prefix;
  written = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
  inside = rec {
    inherit (builtins) stringLength substring;
    begins = prefix: text: substring 0 (stringLength prefix) text == prefix;
  };
  drv = derivation {
    name = "a";
    builder = "b";
    system = "c";
  };
  file = toString drv;
  pairs = [
    [ "" "" ]
    [ "" "a" ]
    [ "a" "" ]
    [ "a" "a" ]
    [ "ab" "abc" ]
    [ "abc" "ab" ]
    [ "b" "abc" ]
    [ file "${file}/bin" ]
    [ "/nix" file ]
    [ { outPath = "ab"; } "abc" ]
    [ { __toString = self: "ab"; } { outPath = "ab"; } ]
    [ "ab" { outPath = "abc"; } ]
  ];
  all = f: map (pair: f (builtins.elemAt pair 0) (builtins.elemAt pair 1)) pairs;
in
[
  (all begins)
  (all written)
  (all inside.begins)
  # Other functions of these names, and another start.
  (
    let
      substring = start: length: text: text + toString length;
    in
    map (text: substring 0 (stringLength text) text == text) [ "" "ab" ]
  )
  (
    let
      stringLength = text: 1;
    in
    map (prefix: substring 0 (stringLength prefix) "abc" == prefix) [ "a" "ab" ]
  )
  (map (prefix: substring 1 (stringLength prefix) "abc" == prefix) [ "bc" "ab" ])
  (map (prefix: substring 0 (stringLength "a") "abc" == prefix) [ "a" "ab" ])
  # Each is evaluated once, the prefix first.
  (begins (trace "prefix" "a") (trace "text" "ab"))
]
