# Functions about no type in particular.
{ lib }:
{
  id = x: x;
  const = x: _: x;
  flip =
    f: a: b:
    f b a;
  pipe = builtins.foldl' (x: f: f x);
  boolToString = b: if b then "true" else "false";
  min = a: b: if a < b then a else b;
  max = a: b: if a > b then a else b;
  mod = a: b: a - b * (a / b);
  inherit (builtins)
    add
    sub
    lessThan
    seq
    deepSeq
    genericClosure
    bitAnd
    bitOr
    bitXor
    isInt
    isFloat
    isBool
    isFunction
    functionArgs
    pathExists
    readFile
    isPath
    tryEval
    toJSON
    fromJSON
    addErrorContext
    unsafeGetAttrPos
    trace
    ;

  importJSON = path: builtins.fromJSON (builtins.readFile path);

  warn = message: builtins.trace "evaluation warning: ${message}";
  warnIf = condition: message: if condition then lib.warn message else lib.id;
  warnIfNot = condition: message: if condition then lib.id else lib.warn message;
  throwIf = condition: message: if condition then throw message else lib.id;
  throwIfNot = condition: message: if condition then lib.id else throw message;
  assertMsg = condition: message: condition || throw message;
  assertOneOf =
    name: value: values:
    lib.assertMsg (builtins.elem value values)
      "${name} must be one of ${lib.generators.toPretty { } values}, but is: ${lib.generators.toPretty value}";

  # A fixed point: the function gets its own result, lazily.
  fix =
    f:
    let
      x = f x;
    in
    x;

  makeOverridable =
    f: args:
    let
      result = f args;
      override = new: lib.makeOverridable f (args // (if builtins.isFunction new then new args else new));
    in
    if builtins.isAttrs result then result // { inherit override; } else result;

  # A release of this stand-in, in the form that configurations compare with versionAtLeast.
  version = "25.11.mini";
  release = "25.11";

  versions = {
    majorMinor = v: builtins.concatStringsSep "." (lib.take 2 (lib.splitString "." v));
    major = v: builtins.head (lib.splitString "." v);
  };
  versionOlder = a: b: builtins.compareVersions b a == 1;
  versionAtLeast = a: b: builtins.compareVersions a b >= 0;

  licenses = builtins.listToAttrs (
    map
      (name: {
        inherit name;
        value = {
          shortName = name;
          free = name != "unfree";
        };
      })
      [
        "mit"
        "gpl2"
        "gpl3"
        "asl20"
        "bsd3"
        "unfree"
      ]
  );

  # Values as a person writes them in Nix. Used in messages, so it never fails and never
  # prints more than a screen: functions and derivations are only named.
  generators.toPretty =
    let
      show =
        depth: v:
        if builtins.isString v then
          builtins.toJSON v
        else if builtins.isInt v || builtins.isFloat v then
          builtins.toJSON v
        else if builtins.isBool v then
          lib.boolToString v
        else if v == null then
          "null"
        else if builtins.isPath v then
          toString v
        else if builtins.isFunction v then
          "<function>"
        else if builtins.isList v then
          if v == [ ] then
            "[ ]"
          else if depth == 0 then
            "[ … ]"
          else
            "[ ${builtins.concatStringsSep " " (map (show (depth - 1)) v)} ]"
        else if v ? type && v.type == "derivation" then
          "<derivation ${v.name or "?"}>"
        else if v ? _type && v._type == "option" then
          "<option>"
        else if v == { } then
          "{ }"
        else if depth == 0 then
          "{ … }"
        else
          "{ ${
            builtins.concatStringsSep " " (
              map (n: "${lib.escapeNixIdentifier n} = ${guard (depth - 1) v.${n}};") (builtins.attrNames v)
            )
          } }";
      guard =
        depth: v:
        let
          attempt = builtins.tryEval (show depth v);
        in
        if attempt.success then attempt.value else "<error>";
    in
    _: guard 4;
  generators.toJSON = _: builtins.toJSON;

  # Platforms by their Nix name, as far as a configuration asks.
  systems.elaborate =
    arg:
    let
      system = if builtins.isString arg then arg else arg.system;
      parts = lib.splitString "-" system;
      cpu = builtins.head parts;
    in
    {
      inherit system;
      config = "${cpu}-unknown-linux-gnu";
      linuxArch = cpu;
      isLinux = lib.hasSuffix "-linux" system;
      isDarwin = lib.hasSuffix "-darwin" system;
      canExecute = other: other.system == system;
      isx86_64 = cpu == "x86_64";
      isx86_32 = cpu == "i686";
      isx86 = cpu == "x86_64" || cpu == "i686";
      isAarch64 = cpu == "aarch64";
      isAarch = cpu == "aarch64";
      isRiscV64 = cpu == "riscv64";
      is64bit = cpu != "i686";
    };
  systems.flakeExposed = [
    "x86_64-linux"
    "aarch64-linux"
  ];
}
