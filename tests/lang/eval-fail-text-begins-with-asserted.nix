let
  inherit (builtins) stringLength substring;
  check = prefix: text: assert substring 0 (stringLength prefix) text == prefix; true;
in
check "ab" "bc"
