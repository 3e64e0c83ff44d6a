# Every bootstrap.* option, beside the article's variables that it overrules.
let
  inherit (import ./lib.nix) derivation platform;
in
{
  _module.specialArgs.configVars = {
    isMinimal = true;
    persistFolder = "/old-persist";
    username = "old";
  };
  options.bootstrap.isMinimal = {
    isDefined = true;
    highestPrio = 100;
  };
  config = platform // {
    networking.hostName = "strap";
    bootstrap = {
      target = {
        host = "10.0.0.7";
        port = 2222;
        user = "root";
        identityFile = "~/.ssh/id_install";
      };
      isMinimal = false;
      persistDir = "/persist";
      user = "ta";
      nixConfig.path = "/home/ta/src/nix-config";
      secrets = {
        repo = "../nix-secrets";
        file = "secrets.yaml";
        ageKeyPath = "/home/ta/.config/sops/age/keys.txt";
      };
      hardware = {
        generator = "nixos-facter";
        file = "hosts/strap/facter.json";
      };
      rebuild.command = "just rebuild";
    };
    fileSystems."/old-persist" = { };
    system.build.toplevel = derivation "nixos-system-strap";
    boot = {
      loader = {
        systemd-boot.enable = false;
        grub.enable = false;
        efi.efiSysMountPoint = "/efi";
        limine.enable = false;
      };
      lanzaboote.enable = true;
    };
  };
}
