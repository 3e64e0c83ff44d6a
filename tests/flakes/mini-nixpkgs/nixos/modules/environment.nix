{
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  etcFile =
    {
      name,
      config,
      options,
      ...
    }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the file is made.";
        };
        target = mkOption {
          type = types.str;
          default = name;
          description = "Path below /etc.";
        };
        text = mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "What is in the file.";
        };
        source = mkOption {
          type = types.path;
          description = "The file or directory to link to.";
        };
        mode = mkOption {
          type = types.str;
          default = "symlink";
          example = "0600";
          description = "`symlink`, `direct-symlink`, or the mode of a copy.";
        };
        uid = mkOption {
          type = types.int;
          default = 0;
          description = "Owner of a copy.";
        };
        gid = mkOption {
          type = types.int;
          default = 0;
          description = "Group of a copy.";
        };
        user = mkOption {
          type = types.str;
          default = "+${toString config.uid}";
          description = "Owner of a copy, by name.";
        };
        group = mkOption {
          type = types.str;
          default = "+${toString config.gid}";
          description = "Group of a copy, by name.";
        };
      };
      config.source = lib.mkIf (config.text != null) (
        # Follows the text's priority: a forced text forces its file.
        lib.mkOverride options.text.highestPrio (pkgs.writeText "etc-${baseNameOf name}" config.text)
      );
    };

  variables =
    description:
    mkOption {
      type = types.attrsOf (
        types.nullOr (
          types.oneOf [
            (types.listOf types.str)
            types.int
            types.str
            types.path
          ]
        )
      );
      default = { };
      inherit description;
    };
in
{
  options.environment = {
    systemPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages for everybody.";
    };
    defaultPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages that are there unless this list is emptied.";
    };
    etc = mkOption {
      type = types.attrsOf (types.submodule etcFile);
      default = { };
      description = "Files below /etc.";
    };
    variables = variables "Environment variables of all shells.";
    sessionVariables = variables "Environment variables of all sessions.";
    shellAliases = mkOption {
      type = types.attrsOf (types.nullOr (types.either types.str types.path));
      default = { };
      description = "Aliases of all shells.";
    };
    shells = mkOption {
      type = types.listOf (types.either types.shellPackage types.path);
      default = [ ];
      description = "Shells that users may choose.";
    };
    pathsToLink = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Directories of packages that the system's profile has.";
    };
    enableAllTerminfo = lib.mkEnableOption "terminal descriptions of all terminals";
  };
  options.documentation.enable = mkOption {
    type = types.bool;
    default = true;
    description = "Whether manuals are installed.";
  };
}
