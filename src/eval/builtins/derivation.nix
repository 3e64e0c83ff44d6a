# `derivation`: what `derivationStrict` gives, as one set for each output. Nothing of the derivation
# is computed before a path of it is wanted.
arguments@{ outputs ? [ "out" ], ... }:
let
  strict = derivationStrict arguments;
  common = arguments // builtins.listToAttrs named // {
    all = map (output: output.value) named;
    drvAttrs = arguments;
  };
  named = map (outputName: {
    name = outputName;
    value = common // {
      inherit outputName;
      inherit (strict) drvPath;
      outPath = strict.${outputName};
      type = "derivation";
    };
  }) outputs;
in
(builtins.head named).value
