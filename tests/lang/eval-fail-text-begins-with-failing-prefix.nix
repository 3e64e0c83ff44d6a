let
  inherit (builtins) stringLength substring trace;
  begins = prefix: text: substring 0 (stringLength prefix) text == prefix;
in
begins (trace "once" (throw "no prefix")) (trace "never" "a")
