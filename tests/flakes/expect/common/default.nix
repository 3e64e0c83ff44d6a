# The fixtures as flakes' outputs, and short ways to evaluate a few modules.
let
  flake =
    path: inputs:
    let
      self = {
        outPath = toString path;
        inherit inputs;
        _type = "flake";
      }
      // (import (path + "/flake.nix")).outputs (inputs // { inherit self; });
    in
    self;

  nixpkgs = flake ../../mini-nixpkgs { };
  disko = flake ../../mini-disko { };
  nixos-bootstrap = flake ../../../.. {
    inherit nixpkgs disko;
    nixos-anywhere = toString ../../mini-nixos-anywhere;
  };
  template = flake ../../../../templates/default { inherit nixpkgs disko nixos-bootstrap; };
  installer = flake ../../../../templates/default/nixos-installer {
    inherit nixpkgs disko nixos-bootstrap;
    nix-config = template;
  };
  inherit (nixpkgs) lib;
in
{
  inherit
    disko
    installer
    lib
    nixos-bootstrap
    nixpkgs
    template
    ;

  # The values of some modules with options of their own.
  values = modules: (lib.evalModules { inherit modules; }).config;

  # A machine with disko.
  machine =
    modules:
    (lib.nixosSystem {
      modules = [
        disko.nixosModules.disko
        { nixpkgs.hostPlatform = "x86_64-linux"; }
      ]
      ++ modules;
    }).config;

  # A host with nixos-bootstrap's modules of these names.
  host =
    names: modules:
    lib.nixosSystem {
      modules = [
        disko.nixosModules.disko
        { nixpkgs.hostPlatform = "x86_64-linux"; }
      ]
      ++ map (name: nixos-bootstrap.nixosModules.${name}) names
      ++ modules;
    };

  # What is worth comparing of a host.
  summary =
    host:
    let
      inherit (host) config;
      inherit (host._module.specialArgs) configVars;
    in
    {
      # Whoever asks, the option or the variable, gets the same answer.
      isMinimal = assert config.bootstrap.isMinimal == configVars.isMinimal; configVars.isMinimal;
      inherit (configVars) persistFolder username;
      inherit (config.networking) hostName;
      inherit (config.nixpkgs.hostPlatform) system;
      inherit (config.system) stateVersion;
      kernelParams = config.boot.kernelParams;
      bootLoader = {
        inherit (config.boot.loader.systemd-boot) configurationLimit enable;
        inherit (config.boot.loader.efi) canTouchEfiVariables efiSysMountPoint;
      };
      fileSystems = lib.mapAttrs (_: fs: {
        inherit (fs)
          device
          fsType
          neededForBoot
          options
          ;
      }) config.fileSystems;
      swap = map (swap: swap.device) config.swapDevices;
      luks = lib.mapAttrs (_: luks: {
        inherit (luks) allowDiscards device keyFile;
      }) config.boot.initrd.luks.devices;
      ssh = {
        inherit (config.services.openssh)
          authorizedKeysFiles
          enable
          hostKeys
          ports
          ;
        inherit (config.services.openssh.settings) PasswordAuthentication PermitRootLogin;
      };
      users = lib.mapAttrs (_: user: {
        inherit (user)
          extraGroups
          home
          isNormalUser
          password
          ;
        keys = user.openssh.authorizedKeys.keys;
        packages = map (p: p.pname) user.packages;
      }) config.users.users;
      packages = map (p: p.pname) config.environment.systemPackages;
      disks = lib.mapAttrs (_: disk: {
        inherit (disk) device type;
        partitions = lib.mapAttrs (_: p: {
          inherit (p)
            device
            label
            priority
            size
            start
            end
            type
            ;
          content = p.content.type;
        }) disk.content.partitions;
      }) config.disko.devices.disk;
    };
}
