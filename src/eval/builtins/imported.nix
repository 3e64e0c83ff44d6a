# `import` of a derivation's file: what `derivation` gives, as far as the file tells.
told@{ name, drvPath, outputs, ... }:
let
  common = builtins.listToAttrs named // {
    inherit drvPath name;
    all = map (output: output.value) named;
    type = "derivation";
  };
  named = map (outputName: {
    name = outputName;
    value = common // {
      inherit outputName;
      outPath = told.${outputName};
    };
  }) outputs;
in
(builtins.head named).value
