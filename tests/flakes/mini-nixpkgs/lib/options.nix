# Declaring options, and showing where things are.
{ lib }:
rec {
  isType = kind: x: x._type or null == kind;
  isOption = isType "option";

  mkOption = attrs: attrs // { _type = "option"; };
  mkEnableOption =
    name:
    mkOption {
      default = false;
      example = true;
      description = "Whether to enable ${name}.";
      type = lib.types.bool;
    };
  mkPackageOption =
    pkgs: name:
    {
      default ? name,
      nullable ? false,
      example ? null,
      extraDescription ? "",
      pkgsText ? "pkgs",
    }:
    let
      path = lib.toList default;
    in
    mkOption {
      type = if nullable then lib.types.nullOr lib.types.package else lib.types.package;
      default = if default == null then null else lib.getAttrFromPath path pkgs;
      defaultText = literalExpression "${pkgsText}.${lib.concatStringsSep "." path}";
      description = "The ${lib.last (lib.toList name)} package to use. ${extraDescription}";
    };

  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  literalMD = text: {
    _type = "literalMD";
    inherit text;
  };
  mdDoc = lib.id;

  showOption = path: lib.concatMapStringsSep "." showPart path;
  showFiles = files: lib.concatMapStringsSep " and " (f: "`${toString f}'") files;

  # Names of attributes in quotes where Nix needs them. `<name>` and `*` stand for any name.
  showPart =
    part:
    let
      stands = (lib.hasPrefix "<" part && lib.hasSuffix ">" part) || part == "*";
    in
    if stands then part else lib.escapeNixIdentifier part;

  mergeEqualOption =
    loc: defs:
    let
      first = builtins.head defs;
    in
    if builtins.all (def: def.value == first.value) defs then
      first.value
    else
      throw "The option `${showOption loc}' has conflicting definition values:${lib.showDefs defs}\nUse `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.";
  mergeOneOption = mergeUniqueOption { message = ""; };
  mergeUniqueOption =
    {
      message,
      merge ? null,
    }:
    loc: defs:
    if builtins.length defs == 1 then
      if merge == null then (builtins.head defs).value else merge loc defs
    else
      throw "The option `${showOption loc}' is defined multiple times while it's expected to be unique.\n${message}\nDefinition values:${lib.showDefs defs}\nUse `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.";
  getValues = map (x: x.value);
  getFiles = map (x: x.file);
}
