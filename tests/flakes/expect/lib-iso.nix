# mkIso: the hosts' keys and file systems, further modules, the platform.
let
  common = import ./common;
  host = common.host [ "disks-btrfs" "user" ] [
    {
      bootstrap.disk.device = "/dev/vda";
      bootstrap.user = "ta";
      bootstrap.account.keysDir = ./folders/keys;
      fileSystems."/srv" = {
        device = "tank/srv";
        fsType = "zfs";
      };
      fileSystems."/mnt/nas" = {
        device = "nas:/";
        fsType = "nfs";
      };
    }
  ];
  # File systems that nothing mounts, and a root without keys.
  part = content: {
    size = "100%";
    inherit content;
  };
  disk = device: content: {
    inherit device;
    content = {
      type = "gpt";
      partitions.all = part content;
    };
  };
  filesystem = format: {
    type = "filesystem";
    inherit format;
  };
  layouts = common.host [ "bootstrap" ] [
    {
      users.users.ta = {
        isNormalUser = true;
        extraGroups = [ "wheel" ];
        openssh.authorizedKeys.keyFiles = [ ./folders/keys/a.pub ];
      };
      users.users.guest = {
        isNormalUser = true;
        openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAA guest" ];
      };
      disko.devices = {
        disk.a = disk "/dev/sda" {
          type = "luks";
          name = "inner";
          content = filesystem "xfs";
        };
        disk.b = disk "/dev/sdb" {
          type = "lvm_pv";
          vg = "vg";
        };
        disk.c = disk "/dev/sdc" {
          type = "zfs";
          pool = "tank";
        };
        disk.d = disk "/dev/sdd" {
          type = "mdraid";
          name = "raid";
        };
        disk.e = disk "/dev/sde" { type = "swap"; };
        mdadm.raid.content = filesystem "f2fs";
        lvm_vg.vg = {
          type = "lvm_vg";
          lvs.data = {
            size = "100%FREE";
            content = filesystem "ext4";
          };
        };
        zpool.tank.datasets.home.mountpoint = "/home";
      };
    }
  ];
  summary = iso: {
    inherit (iso.config.networking) hostName;
    inherit (iso.config.bootstrap) isMinimal;
    inherit (iso.config.boot) supportedFilesystems;
    inherit (iso.config.services.openssh.settings) PasswordAuthentication PermitRootLogin;
    inherit (iso.config.isoImage) squashfsCompression;
    inherit (iso.pkgs.stdenv.hostPlatform) system;
    keys = iso.config.users.users.root.openssh.authorizedKeys.keys;
    warned = iso.config.warnings != [ ];
    image = iso.config.system.build.isoImage.name;
  };
  inherit (common.nixos-bootstrap.lib) mkIso;
in
{
  plain = summary (mkIso { });
  ofHosts = summary (mkIso {
    hosts.a = host;
    hosts.b = host;
    keys = [ "ssh-ed25519 AAAA guest" ];
    system = "aarch64-linux";
    modules = [ { networking.hostName = "stick"; } ];
  });
  ofLayouts =
    let
      iso = mkIso { hosts.a = layouts; };
    in
    summary iso
    // {
      keyFiles = map baseNameOf iso.config.users.users.root.openssh.authorizedKeys.keyFiles;
    };
  refused = builtins.tryEval (mkIso { system = "i686-linux"; }).config;
}
