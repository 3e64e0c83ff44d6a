# `derivation`: what `derivationStrict` gives, as one set for each output. Nothing of the derivation
# is computed before a path of it is wanted.
drvAttrs@{ outputs ? [ "out" ], ... }:
let
  strict = derivationStrict drvAttrs;
  commonAttrs = drvAttrs // builtins.listToAttrs outputsList // {
    all = map (x: x.value) outputsList;
    inherit drvAttrs;
  };
  outputsList = map (outputName: {
    name = outputName;
    value = commonAttrs // {
      inherit outputName;
      inherit (strict) drvPath;
      outPath = strict.${outputName};
      type = "derivation";
    };
  }) outputs;
in
(builtins.head outputsList).value
