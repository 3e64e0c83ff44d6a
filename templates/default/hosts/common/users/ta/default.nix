# The main user. nixos-bootstrap's module makes it and root, with the keys of ./keys; here is what is
# yours.
{
  config,
  inputs,
  lib,
  pkgs,
  configVars,
  ...
}:
{
  imports = [ inputs.nixos-bootstrap.nixosModules.user ];

  bootstrap.account = {
    keysDir = ./keys;

    # Once there are secrets, see nix-secrets/README.md: the password comes from them.
    # hashedPasswordFile = config.sops.secrets."ta/password".path;

    # Once home-manager is an input and its NixOS module is imported:
    # homeManager = ./home.nix;
  };

  # Not needed for an installation, so left out of configurations that are only for one.
  users.users.${configVars.username}.packages = lib.mkIf (!config.bootstrap.isMinimal) [
    pkgs.htop
    pkgs.tmux
  ];
}
