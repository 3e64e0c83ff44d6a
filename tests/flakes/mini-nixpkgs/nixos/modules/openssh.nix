{
  config,
  lib,
  ...
}:
let
  inherit (lib) mkEnableOption mkOption types;
  cfg = config.services.openssh;

  value = types.nullOr (
    types.oneOf [
      types.bool
      types.int
      types.str
      (types.listOf types.str)
    ]
  );

  yesNo =
    default: description:
    mkOption {
      type = types.nullOr types.bool;
      inherit default description;
    };
  allUsers = lib.filterAttrs (
    _: u: u.openssh.authorizedKeys.keys != [ ] || u.openssh.authorizedKeys.keyFiles != [ ]
  ) config.users.users;
in
{
  options.services.openssh = {
    enable = mkEnableOption "the SSH server";
    startWhenNeeded = mkEnableOption "starting the server at each connection";
    ports = mkOption {
      type = types.listOf types.port;
      default = [ 22 ];
      description = "Ports to listen on.";
    };
    openFirewall = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the ports are open in the firewall.";
    };
    listenAddresses = mkOption {
      type = types.listOf types.attrs;
      default = [ ];
      description = "Addresses to listen on; all when empty.";
    };
    hostKeys = mkOption {
      type = types.listOf types.attrs;
      default = [
        {
          type = "rsa";
          bits = 4096;
          path = "/etc/ssh/ssh_host_rsa_key";
        }
        {
          type = "ed25519";
          path = "/etc/ssh/ssh_host_ed25519_key";
        }
      ];
      description = "The keys by which the machine is known. Made when they are missing.";
    };
    authorizedKeysFiles = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Files with the keys that may log in.";
    };
    authorizedKeysInHomedir = mkOption {
      type = types.bool;
      default = true;
      description = "Whether users may keep keys in their home.";
    };
    settings = mkOption {
      type = types.submodule {
        freeformType = types.attrsOf value;
        options = {
          PermitRootLogin = mkOption {
            type = types.nullOr (
              types.enum [
                "yes"
                "without-password"
                "prohibit-password"
                "forced-commands-only"
                "no"
              ]
            );
            default = "prohibit-password";
            description = "How root may log in.";
          };
          PasswordAuthentication = yesNo true "Whether a password lets in.";
          KbdInteractiveAuthentication = yesNo true "Whether answering questions lets in.";
          X11Forwarding = yesNo false "Whether graphical programs are passed through.";
          UsePAM = yesNo true "Whether PAM decides.";
          StrictModes = yesNo true "Whether loose file modes are refused.";
          AllowUsers = mkOption {
            type = types.nullOr (types.listOf types.str);
            default = null;
            description = "Only these may log in.";
          };
          Ciphers = mkOption {
            type = types.nullOr (types.listOf types.str);
            default = null;
            description = "Ciphers that are offered.";
          };
          LogLevel = mkOption {
            type = types.nullOr types.str;
            default = "INFO";
            description = "How much is logged.";
          };
        };
      };
      default = { };
      description = "Settings of sshd_config.";
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Lines for sshd_config.";
    };
    banner = mkOption {
      type = types.nullOr types.lines;
      default = null;
      description = "What is shown before the login.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.openssh.authorizedKeysFiles =
      lib.optional cfg.authorizedKeysInHomedir "%h/.ssh/authorized_keys"
      ++ [ "/etc/ssh/authorized_keys.d/%u" ];

    networking.firewall.allowedTCPPorts = lib.optionals cfg.openFirewall cfg.ports;

    environment.etc = lib.mapAttrs' (
      name: user:
      lib.nameValuePair "ssh/authorized_keys.d/${name}" {
        # sshd refuses a file that others may write to, and store paths may belong to a build user.
        mode = "0444";
        text = lib.concatLines (
          map (lib.removeSuffix "\n") (
            user.openssh.authorizedKeys.keys ++ map builtins.readFile user.openssh.authorizedKeys.keyFiles
          )
        );
      }
    ) allUsers;

    assertions = [
      {
        assertion = cfg.hostKeys != [ ];
        message = "services.openssh.hostKeys is empty: the SSH server would have no key of its own.";
      }
    ];
  };
}
