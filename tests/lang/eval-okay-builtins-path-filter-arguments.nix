# What the filter is asked, and that folders it refuses are not entered.
let
  seen = builtins.path { path = ./files/tree; name = "x"; filter = p: type: builtins.trace "${type} ${baseNameOf p}" (baseNameOf p != "deep"); };
in builtins.typeOf seen
