# What the modules share: types for words that the tool parses, and the older places of values.
{ lib }:
let
  inherit (lib) types;

  matching =
    pattern: description:
    types.strMatching pattern
    // {
      inherit description;
      descriptionClass = "noun";
    };
  checked =
    type: check: description:
    types.addCheck type check
    // {
      inherit description;
      descriptionClass = "noun";
    };
  isPlain = text: builtins.match ".*[[:cntrl:]].*" text == null;
in
{
  # The same rules as the tool's own, so that a bad value stops the evaluation, not the run.
  types = {
    address = matching "([A-Za-z0-9_][A-Za-z0-9_.-]*|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)(%[A-Za-z0-9_.-]+)?" "host name or IP address without port";
    userName = matching "[A-Za-z_][A-Za-z0-9_.-]{0,31}" "user name";
    port = types.ints.between 1 65535;
    absolutePath = checked types.str (
      path: lib.hasPrefix "/" path && isPlain path && !lib.elem ".." (lib.splitString "/" path)
    ) "absolute path without `..`";
    devicePath = checked types.str (
      path:
      builtins.match "/dev/[A-Za-z0-9/_.:+@=,#%\\-]+" path != null
      && !lib.elem ".." (lib.splitString "/" path)
    ) "path below /dev";
    # A path of Nix's would be copied to the store, where everybody can read it.
    outsideOfStore = checked types.str (
      path: path != "" && isPlain path && !lib.hasPrefix builtins.storeDir path
    ) "path as text, which is not copied to the store";
    line = checked types.str (text: builtins.match "[[:space:]]*" text == null && isPlain text) "one line of text";
    # Either a path of Nix's in the flake or text that starts at the flake.
    fileInFlake = checked (types.either types.path types.str) (
      file: toString file != "" && isPlain (toString file)
    ) "path of a file in the repository";
    # "8" is what the older layouts pass, 8 is what one would write.
    gibibytes =
      types.coercedTo (matching "0|[1-9][0-9]{0,5}" "digits") lib.toInt types.ints.unsigned
      // {
        description = "whole number of GiB, also as text";
        descriptionClass = "noun";
      };
  };

  # `configVars` of a configuration, from a module's arguments or from its special arguments.
  configVars = { config, ... }@args: config._module.args.configVars or args.configVars or { };

  # A value that older layouts pass to all modules with `_module.args`.
  moduleArg =
    config: name: default:
    config._module.args.${name} or default;
}
