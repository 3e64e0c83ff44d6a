# mkMinimal keeps disks, swap, boot and address of a host, and who may log in; nothing else of it.
let
  common = import ./common;
  inherit (common) lib;
  host = lib.nixosSystem {
    specialArgs = {
      marker = "marked";
      configVars = {
        username = "ta";
        isMinimal = false;
      };
    };
    modules = [
      common.disko.nixosModules.disko
      common.nixos-bootstrap.nixosModules.disks-btrfs-luks
      {
        nixpkgs.hostPlatform = "x86_64-linux";
        nixpkgs.overlays = [ (_: _: { marker = "overlaid"; }) ];
        _module.args = {
          disk = "/dev/vda";
          swapSize = "8";
        };
        bootstrap = {
          target.host = "192.0.2.10";
          persistDir = "/persist";
          secrets.file = "secrets.yaml";
        };
        networking = {
          hostName = "grief";
          hostId = "8425e349";
          interfaces.eth0.useDHCP = false;
          nameservers = [ "192.0.2.1" ];
          extraHosts = "192.0.2.9 printer";
        };
        boot = {
          loader.systemd-boot.enable = true;
          loader.systemd-boot.configurationLimit = 50;
          loader.timeout = 3;
          initrd.availableKernelModules = [ "virtio_blk" ];
          initrd.systemd.enable = true;
          kernelParams = lib.mkAfter [ "console=ttyS0" ];
          kernelModules = lib.mkBefore [ "kvm-intel" ];
        };
        console.keyMap = "de";
        zramSwap.enable = true;
        swapDevices = [ { device = "/dev/disk/by-label/swap"; } ];
        fileSystems."/mnt/nas" = {
          device = "nas:/";
          fsType = "nfs";
        };
        fileSystems."/boot".options = [ "noexec" ];
        services.openssh.ports = [ 2022 ];
        services.openssh.settings.PermitRootLogin = "no";
        services.tailscale.enable = true;
        users.users = {
          ta = {
            isNormalUser = true;
            uid = 1234;
            extraGroups = [
              "wheel"
              "video"
            ];
            openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAA ta" ];
            hashedPasswordFile = "/run/secrets/ta";
            password = "plain";
          };
          guest.isNormalUser = true;
          root.openssh.authorizedKeys.keys = [ "ssh-ed25519 BBBB root" ];
        };
        environment.systemPackages = [ ];
        system.stateVersion = "24.05";
      }
    ];
  };
  minimal = common.nixos-bootstrap.lib.mkMinimal {
    inherit host;
    modules = [
      (
        { marker, configVars, ... }:
        {
          environment.etc."seen".text = "${marker} ${lib.boolToString configVars.isMinimal}";
          boot.loader.timeout = lib.mkForce 1;
        }
      )
    ];
  };
  inherit (minimal) config;
  sameAs = f: f host.config == f config;
in
{
  same = builtins.mapAttrs (_: sameAs) {
    diskoScript = c: c.system.build.diskoScript.drvPath;
    mountScript = c: c.system.build.mountScript.drvPath;
    swapDevices = c: c.swapDevices;
    fileSystems = c: removeAttrs c.fileSystems [ "/mnt/nas" ];
    zram = c: c.zramSwap;
    luks = c: c.boot.initrd.luks.devices;
    initrdModules = c: c.boot.initrd.availableKernelModules;
    kernelParams = c: c.boot.kernelParams;
    kernelModules = c: c.boot.kernelModules;
    kernel = c: c.boot.kernelPackages.kernel.drvPath;
    interfaces = c: c.networking.interfaces;
    hostId = c: c.networking.hostId;
    nameservers = c: c.networking.nameservers;
    keyMap = c: c.console.keyMap;
    sshPorts = c: c.services.openssh.ports;
    target = c: c.bootstrap.target;
    persistDir = c: c.bootstrap.persistDir;
    stateVersion = c: c.system.stateVersion;
  };
  mountpoints = builtins.attrNames config.fileSystems;
  bootOptions = config.fileSystems."/boot".options;
  neededForBoot = config.fileSystems."/persist".neededForBoot;
  left = {
    inherit (config.networking) extraHosts;
    tailscale = config.services.tailscale.enable;
    users = builtins.attrNames config.users.users;
    secrets = config.bootstrap.secrets.file;
    limit = config.boot.loader.systemd-boot.configurationLimit;
  };
  ta = {
    inherit (config.users.users.ta)
      extraGroups
      hashedPasswordFile
      isNormalUser
      password
      uid
      ;
    keys = config.users.users.ta.openssh.authorizedKeys.keys;
  };
  swap = map (swap: swap.device) config.swapDevices;
  overlay = minimal.pkgs.marker;
  rootKeys = config.users.users.root.openssh.authorizedKeys.keys;
  rootLogin = config.services.openssh.settings.PermitRootLogin;
  inherit (config.bootstrap) isMinimal;
  added = config.environment.etc."seen".text;
  forced = config.boot.loader.timeout;
  inherit (minimal._module.args) disk swapSize;
  builds = builtins.isString config.system.build.toplevel.drvPath;
}
