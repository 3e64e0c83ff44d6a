{ lib, ... }:
let
  inherit (lib) mkOption types;

  names =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };
  section =
    description:
    mkOption {
      type = types.attrsOf types.anything;
      default = { };
      inherit description;
    };

  unit =
    { name, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "false masks the unit.";
        };
        name = mkOption {
          type = types.str;
          default = name;
          description = "Name of the unit, without its ending.";
        };
        description = mkOption {
          type = types.singleLineStr;
          default = "";
          description = "What the unit is.";
        };
        wantedBy = names "Units that start this one if they can.";
        requiredBy = names "Units that can't do without this one.";
        wants = names "Units that this one starts.";
        requires = names "Units that this one can't do without.";
        after = names "Units that start before.";
        before = names "Units that start after.";
        partOf = names "Units that this one stops and restarts with.";
        bindsTo = names "Units that this one stops with.";
        conflicts = names "Units that can't run beside this one.";
        unitConfig = section "The section [Unit].";
      };
    };

  service = {
    imports = [ unit ];
    options = {
      serviceConfig = section "The section [Service].";
      environment = mkOption {
        type = types.attrsOf (
          types.nullOr (
            types.oneOf [
              types.str
              types.path
              types.package
            ]
          )
        );
        default = { };
        description = "Environment variables.";
      };
      path = mkOption {
        type = types.listOf (types.either types.package types.str);
        default = [ ];
        description = "Packages in PATH.";
      };
      script = mkOption {
        type = types.lines;
        default = "";
        description = "Shell commands that are the service.";
      };
      preStart = mkOption {
        type = types.lines;
        default = "";
        description = "Shell commands before the service.";
      };
      postStart = mkOption {
        type = types.lines;
        default = "";
        description = "Shell commands after the service's start.";
      };
      restartIfChanged = mkOption {
        type = types.bool;
        default = true;
        description = "Whether a changed service is restarted.";
      };
      restartTriggers = mkOption {
        type = types.listOf types.unspecified;
        default = [ ];
        description = "Values whose change restarts the service.";
      };
      startAt = mkOption {
        type = types.either types.str (types.listOf types.str);
        default = [ ];
        description = "When the service is started.";
      };
    };
  };

  other = part: {
    imports = [ unit ];
    options.${part} = section "The section of the unit's kind.";
  };

  units =
    module: description:
    mkOption {
      type = types.attrsOf (types.submodule module);
      default = { };
      inherit description;
    };
in
{
  options.systemd = {
    services = units service "Services.";
    timers = units (other "timerConfig") "Timers.";
    sockets = units (other "socketConfig") "Sockets.";
    paths = units (other "pathConfig") "Paths that are watched.";
    targets = units unit "Targets.";
    user.services = units service "Services of each user.";
    tmpfiles.rules = names "Lines of tmpfiles.d.";
    network = {
      enable = lib.mkEnableOption "systemd-networkd";
      networks = mkOption {
        type = types.attrsOf types.anything;
        default = { };
        description = "Networks of systemd-networkd.";
      };
      wait-online.enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether boot waits for the network.";
      };
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Lines for system.conf.";
    };
  };
}
