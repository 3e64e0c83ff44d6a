let
  find = builtins.findFile [ { prefix = ""; path = "${toString ./.}/files/search"; } { prefix = "p"; path = toString ./files/dir; } { path = toString ./files/tree; } { prefix = "p/q"; path = toString ./files/named; } ];
in {
  plain = find "top.nix";
  prefix = find "p";
  below = find "p/default.nix";
  noPrefixAttribute = find "b/c.txt";
  longerPrefix = find "p/q/inner";
  missing = (builtins.tryEval (find "nothing")).success;
  shadowed = builtins.findFile [ { path = toString ./files/dir; prefix = "d"; } { path = toString ./files/named; prefix = "d"; } ] "d/inner";
  overridden = let __findFile = path: name: "found ${name}"; __nixPath = [ ]; in <any/thing>;
  withNixPath = let __nixPath = [ { prefix = "mine"; path = toString ./files; } ]; in <mine/plain.txt>;
}
