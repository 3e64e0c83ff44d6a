# The options that the tool reads: their defaults, and all of them set.
let
  common = import ./common;
  read = modules: (common.host [ "bootstrap" ] modules).config.bootstrap;
in
{
  unset = read [ ];
  set = read [
    {
      users.users.ta.isNormalUser = true;
      bootstrap = {
        target = {
          host = "fe80::1%eth0";
          port = 2222;
          user = "nixos";
          identityFile = "~/.ssh/id_ed25519";
        };
        isMinimal = true;
        persistDir = "/persist";
        user = "ta";
        nixConfig.path = "~/src/nix-config";
        secrets = {
          repo = "../nix-secrets";
          file = "secrets.yaml";
          ageKeyPath = "/home/ta/.config/sops/age/keys.txt";
        };
        hardware = {
          generator = "nixos-facter";
          file = "machines/grief/facter.json";
        };
        rebuild.command = "just rebuild";
      };
    }
  ];
}
