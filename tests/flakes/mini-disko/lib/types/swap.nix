{
  config,
  device,
  diskoLib,
  lib,
  parent,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (diskoLib) quote;

  swapon = lib.concatStringsSep " " (
    [ "swapon" ]
    ++ lib.optional (config.priority != null) "--priority=${toString config.priority}"
    ++ lib.optional (config.discardPolicy != null) (
      if config.discardPolicy == "both" then "--discard" else "--discard=${config.discardPolicy}"
    )
    ++ [ (quote config.device) ]
  );
  active = "grep -q \"^$(readlink -f ${quote config.device}) \" /proc/swaps";
in
{
  options = {
    type = mkOption {
      type = types.enum [ "swap" ];
      internal = true;
      description = "Swap.";
    };
    device = mkOption {
      type = types.str;
      default = device;
      description = "The device that it is on.";
    };
    discardPolicy = mkOption {
      type = types.nullOr (
        types.enum [
          "once"
          "pages"
          "both"
        ]
      );
      default = null;
      description = "Which TRIM requests the device gets.";
    };
    extraArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Arguments of mkswap.";
    };
    mountOptions = mkOption {
      type = types.listOf types.nonEmptyStr;
      default = [ "defaults" ];
      description = "Options of swapon.";
    };
    priority = mkOption {
      type = types.nullOr types.int;
      default = null;
      description = "0 to 32767; higher is used first.";
    };
    randomEncryption = mkOption {
      type = types.bool;
      default = false;
      description = "Whether it is encrypted with a key that is thrown away at each boot.";
    };
    resumeDevice = mkOption {
      type = types.bool;
      default = false;
      description = "Whether a hibernated system is read from it.";
    };
    _parent = diskoLib.internal parent;
    _meta = diskoLib.internal (_: { });
    # With random encryption there is nothing to make: each boot makes it anew.
    _create = diskoLib.createOption config (
      lib.optionalString (!config.randomEncryption) ''
        if [ -z "$(signature ${quote config.device})" ]; then
          say "making swap on ${config.device}"
          mkswap ${lib.escapeShellArgs config.extraArgs} ${quote config.device} >/dev/null
        fi
      ''
    );
    _mount = diskoLib.mountOption config (
      lib.optionalAttrs (!config.randomEncryption) {
        fs.${config.device} = ''
          if [ "''${DISKO_SKIP_SWAP-}" != 1 ] && ! ${active}; then
            ${swapon}
          fi
        '';
      }
    );
    _unmount = diskoLib.unmountOption config (
      lib.optionalAttrs (!config.randomEncryption) {
        fs.${config.device} = ''
          if ${active}; then
            swapoff ${quote config.device}
          fi
        '';
      }
    );
    _config = diskoLib.internal [
      {
        swapDevices = [
          {
            inherit (config) device discardPolicy priority;
            randomEncryption = {
              enable = config.randomEncryption;
              allowDiscards = config.discardPolicy != null;
            };
            options = config.mountOptions;
          }
        ];
        boot.resumeDevice = lib.mkIf config.resumeDevice config.device;
      }
    ];
    _pkgs = diskoLib.internal (pkgs: [ pkgs.util-linux ]);
    _unsupported = diskoLib.internal [ ];
  };
}
