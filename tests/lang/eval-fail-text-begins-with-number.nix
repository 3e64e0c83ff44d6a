let
  inherit (builtins) stringLength substring;
  begins = prefix: text: substring 0 (stringLength prefix) text == prefix;
in
begins "a" 1
