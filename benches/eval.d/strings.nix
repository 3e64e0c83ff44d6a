# A million small strings: made, joined, and measured.
let
  pieces = builtins.genList (i: "item-${toString i}\n") 1000000;
in
builtins.stringLength (builtins.concatStringsSep "" pieces)
