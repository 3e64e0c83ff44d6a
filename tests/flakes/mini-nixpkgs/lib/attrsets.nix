# Attribute sets, and the derivations that are made of them.
{ lib }:
let
  inherit (builtins)
    attrNames
    concatMap

    filter
    head
    isAttrs
    listToAttrs
    removeAttrs
    tail
    ;
in
rec {
  inherit (builtins)
    attrNames
    attrValues
    catAttrs
    getAttr
    hasAttr
    intersectAttrs
    isAttrs
    listToAttrs
    mapAttrs
    removeAttrs
    zipAttrsWith
    ;

  nameValuePair = name: value: { inherit name value; };
  mapAttrs' = f: attrs: listToAttrs (mapAttrsToList f attrs);
  mapAttrsToList = f: attrs: map (n: f n attrs.${n}) (attrNames attrs);
  attrsToList = mapAttrsToList nameValuePair;
  mapAttrsToListRecursive = f: attrs: collect (x: !isAttrs x) (mapAttrsRecursive f attrs);
  concatMapAttrs = f: attrs: mergeAttrsList (mapAttrsToList f attrs);
  mergeAttrsList = builtins.foldl' (a: b: a // b) { };
  filterAttrs = pred: attrs: removeAttrs attrs (filter (n: !pred n attrs.${n}) (attrNames attrs));
  filterAttrsRecursive =
    pred: attrs:
    builtins.mapAttrs (_: v: if isAttrs v then filterAttrsRecursive pred v else v) (filterAttrs pred attrs);
  genAttrs = names: f: listToAttrs (map (n: nameValuePair n (f n)) names);
  genAttrs' = xs: f: listToAttrs (map f xs);
  optionalAttrs = condition: attrs: if condition then attrs else { };
  foldAttrs =
    op: nul: list:
    builtins.zipAttrsWith (_: lib.foldr op nul) list;
  foldlAttrs =
    f: init: attrs:
    builtins.foldl' (acc: n: f acc n attrs.${n}) init (attrNames attrs);
  zipAttrs = builtins.zipAttrsWith (_: values: values);
  attrVals = names: attrs: map (n: attrs.${n}) names;
  getAttrs = names: attrs: genAttrs names (n: attrs.${n});
  cartesianProduct =
    attrs:
    builtins.foldl' (
      sets: n: concatMap (set: map (v: set // { ${n} = v; }) attrs.${n}) sets
    ) [ { } ] (attrNames attrs);

  attrByPath =
    path: default: attrs:
    if path == [ ] then
      attrs
    else if isAttrs attrs && attrs ? ${head path} then
      attrByPath (tail path) default attrs.${head path}
    else
      default;
  hasAttrByPath =
    path: attrs:
    path == [ ] || (isAttrs attrs && attrs ? ${head path} && hasAttrByPath (tail path) attrs.${head path});
  getAttrFromPath =
    path: attrs:
    attrByPath path (throw "cannot find attribute `${lib.concatStringsSep "." path}'") attrs;
  setAttrByPath = path: value: lib.foldr (n: v: { ${n} = v; }) value path;
  updateManyAttrsByPath =
    updates: attrs:
    builtins.foldl' (
      acc: u: recursiveUpdate acc (setAttrByPath u.path (u.update (getAttrFromPath u.path acc)))
    ) attrs updates;

  mapAttrsRecursive = mapAttrsRecursiveCond (_: true);
  mapAttrsRecursiveCond =
    enter: f:
    let
      go =
        path:
        builtins.mapAttrs (
          n: v: if isAttrs v && enter v then go (path ++ [ n ]) v else f (path ++ [ n ]) v
        );
    in
    go [ ];
  collect =
    pred: attrs:
    if pred attrs then
      [ attrs ]
    else if isAttrs attrs then
      concatMap (collect pred) (builtins.attrValues attrs)
    else
      [ ];

  recursiveUpdateUntil =
    stop: a: b:
    let
      go =
        path:
        builtins.zipAttrsWith (
          n: values:
          let
            here = path ++ [ n ];
          in
          if builtins.length values == 1 then
            head values
          else if stop here (head values) (lib.last values) then
            lib.last values
          else
            go here values
        );
    in
    go [ ] [
      a
      b
    ];
  recursiveUpdate = recursiveUpdateUntil (_: a: b: !(isAttrs a && isAttrs b));

  isDerivation = x: x.type or null == "derivation";
  toDerivation = path: {
    type = "derivation";
    name = builtins.baseNameOf path;
    outPath = builtins.storePath path;
    outputs = [ "out" ];
    outputName = "out";
  };
  getOutput = output: pkg: if pkg.outputSpecified or false then pkg else pkg.${output} or pkg.out or pkg;
  getBin = getOutput "bin";
  getLib = getOutput "lib";
  getDev = getOutput "dev";
  getMan = getOutput "man";
  getExe' = pkg: name: "${getBin pkg}/bin/${name}";
  getExe = pkg: getExe' pkg (pkg.meta.mainProgram or (lib.getName pkg));
  recurseIntoAttrs = attrs: attrs // { recurseForDerivations = true; };
  dontRecurseIntoAttrs = attrs: attrs // { recurseForDerivations = false; };
  matchAttrs =
    pattern: attrs:
    builtins.all (n: attrs ? ${n} && attrs.${n} == pattern.${n}) (attrNames pattern);
}
