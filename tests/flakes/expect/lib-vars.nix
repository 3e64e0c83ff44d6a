# mkVars.
let
  inherit ((import ./common).nixos-bootstrap.lib) mkVars;
  refused = value: !(builtins.tryEval (builtins.deepSeq value true)).success;
in
{
  defaults = mkVars { username = "ta"; };
  own = mkVars {
    username = "ta";
    persistFolder = "/keep";
    gitEmail = "ta@example.org";
  };
  refused = map refused [
    (mkVars { }).username
    (mkVars { username = "a b"; })
    (mkVars { username = 1; })
    (mkVars {
      username = "ta";
      persistFolder = "persist";
    })
    (mkVars {
      username = "ta";
      isMinimal = "yes";
    })
  ];
  # Only whoever asks for the name needs it.
  withoutName = (mkVars { }).persistFolder;
}
