# `import` of a derivation's file: what `derivation` gives, as far as the file tells.
attrs@{ name, drvPath, outputs, ... }:
let
  commonAttrs = builtins.listToAttrs outputsList // {
    inherit drvPath name;
    all = map (x: x.value) outputsList;
    type = "derivation";
  };
  outputsList = map (outputName: {
    name = outputName;
    value = commonAttrs // {
      inherit outputName;
      outPath = attrs.${outputName};
    };
  }) outputs;
in
(builtins.head outputsList).value
