# sops-nix, with files as paths and as strings, and with no default file. Impermanence too.
let
  inherit (import ./lib.nix) derivation platform;
in
{
  options.sops.defaultSopsFile.isDefined = false;
  # Our module's default must not hide what the article's variable says.
  options.bootstrap.isMinimal = {
    isDefined = true;
    highestPrio = 1500;
  };
  _module.args.configVars.isMinimal = true;
  # Other flakes may have such arguments, and mean something else.
  _module.args.disk = {
    main = "/dev/sda";
  };
  config = platform // {
    networking.hostName = "secrets";
    bootstrap.isMinimal = false;
    sops = {
      defaultSopsFile = throw "sops.defaultSopsFile is not set";
      age = {
        keyFile = "/var/lib/sops-nix/key.txt";
        sshKeyPaths = [ "/etc/ssh/ssh_host_ed25519_key" ];
        generateKey = throw "read an unknown attribute";
      };
      secrets = {
        "ta/password" = {
          key = "ta-password";
          sopsFile = ../secrets/secrets.yaml;
          path = throw "read an unknown attribute";
        };
        token = {
          sopsFile = "${../secrets}/secrets.yaml";
        };
      };
    };
    age = {
      identityPaths = [ "/etc/ssh/ssh_host_ed25519_key" ];
      secrets.wifi = throw "read a secret of agenix";
    };
    environment.persistence."/nix/persist" = throw "read what is kept";
    system.build.toplevel = derivation "nixos-system-secrets";
  };
}
