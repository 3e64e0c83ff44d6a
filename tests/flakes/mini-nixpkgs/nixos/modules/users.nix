{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkEnableOption mkOption types;
  cfg = config.users;

  password =
    description:
    mkOption {
      type = types.nullOr types.str;
      default = null;
      inherit description;
    };

  user =
    { name, config, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          description = "The user's name.";
        };
        description = mkOption {
          type = types.str;
          default = "";
          description = "The user's full name.";
        };
        uid = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "The user's number; null takes a free one.";
        };
        isNormalUser = mkOption {
          type = types.bool;
          default = false;
          description = "Whether this is a person.";
        };
        isSystemUser = mkOption {
          type = types.bool;
          default = false;
          description = "Whether this is a service.";
        };
        group = mkOption {
          type = types.str;
          default = "";
          description = "The user's main group.";
        };
        extraGroups = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Further groups.";
        };
        home = mkOption {
          type = types.path;
          default = "/var/empty";
          description = "The user's home.";
        };
        homeMode = mkOption {
          type = types.strMatching "[0-7]{1,5}";
          default = "700";
          description = "The home's mode.";
        };
        createHome = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the home is made.";
        };
        useDefaultShell = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the user has users.defaultUserShell.";
        };
        shell = mkOption {
          type = types.nullOr (types.either types.shellPackage types.path);
          default = "/run/current-system/sw/bin/nologin";
          description = "The user's shell.";
        };
        hashedPassword = password "Hash of the password.";
        hashedPasswordFile = password "File with the hash of the password.";
        password = password "The password, for all to read in the store.";
        initialPassword = password "The first password, for all to read in the store.";
        initialHashedPassword = password "Hash of the first password.";
        packages = mkOption {
          type = types.listOf types.package;
          default = [ ];
          description = "Packages for this user.";
        };
        linger = mkOption {
          type = types.nullOr types.bool;
          default = false;
          description = "Whether the user's services run without a login.";
        };
        openssh.authorizedKeys = {
          keys = mkOption {
            type = types.listOf types.singleLineStr;
            default = [ ];
            description = "SSH keys that may log in.";
          };
          keyFiles = mkOption {
            type = types.listOf types.path;
            default = [ ];
            description = "Files with SSH keys that may log in.";
          };
        };
      };
      config = lib.mkMerge [
        (lib.mkIf config.isNormalUser {
          group = lib.mkDefault "users";
          createHome = lib.mkDefault true;
          home = lib.mkDefault "/home/${config.name}";
          useDefaultShell = lib.mkDefault true;
        })
        (lib.mkIf config.useDefaultShell { shell = lib.mkDefault cfg.defaultUserShell; })
      ];
    };

  group =
    { name, config, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          description = "The group's name.";
        };
        gid = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "The group's number; null takes a free one.";
        };
        members = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "The group's users.";
        };
      };
      config.members = lib.mapAttrsToList (_: u: u.name) (
        lib.filterAttrs (_: u: lib.elem config.name u.extraGroups) cfg.users
      );
    };

  canLogIn =
    u:
    u.hashedPassword != null
    || u.password != null
    || u.hashedPasswordFile != null
    || u.openssh.authorizedKeys.keys != [ ]
    || u.openssh.authorizedKeys.keyFiles != [ ];
in
{
  options.users = {
    mutableUsers = mkOption {
      type = types.bool;
      default = true;
      description = "Whether users may be changed at run time.";
    };
    allowNoPasswordLogin = mkEnableOption "a machine that nobody can log in to";
    defaultUserShell = mkOption {
      type = types.either types.path types.shellPackage;
      default = pkgs.bashInteractive;
      defaultText = lib.literalExpression "pkgs.bashInteractive";
      description = "The shell of people.";
    };
    users = mkOption {
      type = types.attrsOf (types.submodule user);
      default = { };
      description = "Users.";
    };
    groups = mkOption {
      type = types.attrsOf (types.submodule group);
      default = { };
      description = "Groups.";
    };
    motd = mkOption {
      type = types.nullOr types.lines;
      default = null;
      description = "What is shown after a login.";
    };
  };

  config = {
    users.users.root = {
      uid = 0;
      description = "System administrator";
      home = "/root";
      shell = lib.mkDefault cfg.defaultUserShell;
      group = "root";
    };
    users.groups = {
      root.gid = 0;
      wheel.gid = 1;
      kmem.gid = 2;
      tty.gid = 3;
      video.gid = 26;
      audio.gid = 17;
      disk.gid = 6;
      users.gid = 100;
      nixbld.gid = 30000;
    }
    // lib.optionalAttrs config.networking.networkmanager.enable { networkmanager.gid = 57; };

    assertions = [
      {
        assertion =
          cfg.mutableUsers
          || cfg.allowNoPasswordLogin
          || lib.any (u: (u.name == "root" || lib.elem "wheel" u.extraGroups) && canLogIn u) (
            lib.attrValues cfg.users
          );
        message = ''
          Neither the root account nor any wheel user has a password or SSH authorized key.
          You must set one to prevent being locked out of your system.'';
      }
    ]
    ++ lib.concatMap (u: [
      {
        assertion = u.name == "root" || u.isNormalUser != u.isSystemUser;
        message = "Exactly one of users.users.${u.name}.isSystemUser and users.users.${u.name}.isNormalUser must be set.";
      }
      {
        assertion = u.group != "";
        message = "users.users.${u.name}.group is unset. Set it, for instance to a group of its own: users.groups.${u.name} = { };";
      }
    ]) (lib.attrValues cfg.users);
  };
}
