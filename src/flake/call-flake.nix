# Makes flakes of their definitions. Each node says where it is (sourceInfo, or the parent that it is a folder
# of), which folder it is there, whether it is a flake, and which nodes its inputs are. Nothing is looked at
# before it is wanted.
nodes: root:
let
  made = builtins.mapAttrs (
    _: node:
    let
      parent = made.${node.parent};
      sourceInfo = node.sourceInfo or parent.sourceInfo;
      outPath = (if node ? parent then parent.outPath else sourceInfo.outPath) + node.folder;
      inputs = builtins.mapAttrs (_: input: made.${input}.value) node.inputs;
      definition = import (outPath + "/flake.nix");
      outputs = definition.outputs (inputs // { self = flake; });
      flake =
        outputs
        // sourceInfo
        // {
          inherit
            inputs
            outPath
            outputs
            sourceInfo
            ;
          _type = "flake";
        };
    in
    {
      inherit outPath sourceInfo;
      value =
        if !node.isFlake then
          sourceInfo // { inherit outPath sourceInfo; }
        else if builtins.isFunction definition.outputs then
          flake
        else
          throw "the outputs of the flake '${outPath}' are not a function";
    }
  ) nodes;
in
made.${root}.value
