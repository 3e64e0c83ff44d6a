# The user module: keys from a folder, what a minimal configuration leaves out, home-manager.
let
  common = import ./common;
  inherit (common) lib;
  # As much of home-manager as its module has to do with this.
  homeManager.options.home-manager.users = lib.mkOption {
    type = lib.types.attrsOf lib.types.raw;
    default = { };
  };
  home = ./folders/home.nix;
  account =
    modules:
    let
      inherit
        (common.host [ "user" ] (
          [
            {
              bootstrap.user = "ta";
              bootstrap.account = {
                keysDir = ./folders/keys;
                keys = [ "ssh-ed25519 AAAA extra" ];
              };
            }
          ]
          ++ modules
        ))
        config
        ;
      user = config.users.users.ta;
    in
    {
      inherit (user) extraGroups hashedPasswordFile isNormalUser password;
      keys = map (key: lib.last (lib.splitString " " key)) user.openssh.authorizedKeys.keys;
      sameForRoot =
        user.openssh.authorizedKeys.keys == config.users.users.root.openssh.authorizedKeys.keys;
      rootPassword = config.users.users.root.hashedPasswordFile;
      shell = user.shell.pname;
      inherit (config.users) mutableUsers;
      sudoAsks = config.security.sudo.wheelNeedsPassword;
      home = config.home-manager.users or "no home-manager";
      inherit (config) warnings;
    };
  full = {
    bootstrap.account = {
      hashedPasswordFile = "/run/secrets/ta";
      homeManager = home;
    };
  };
  shell = { pkgs, ... }: { bootstrap.account.shell = pkgs.zsh; };
in
{
  keysOnly = account [ ];
  full = account [
    full
    shell
    homeManager
    { users.groups.docker = { }; }
  ];
  minimal = account [
    full
    shell
    homeManager
    { bootstrap.isMinimal = true; }
  ];
  minimalWithoutHomeManager = account [
    full
    { bootstrap.isMinimal = true; }
  ];
  byVariable =
    (common.lib.nixosSystem {
      specialArgs.configVars.username = "older";
      modules = [
        common.nixos-bootstrap.nixosModules.user
        { nixpkgs.hostPlatform = "x86_64-linux"; }
      ];
    }).config.users.users.older.isNormalUser;
}
