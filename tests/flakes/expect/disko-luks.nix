# What disko makes of an encrypted disk with a swap partition.
let
  common = import ./common;
  inherit (common) lib;
  config = common.machine [
    {
      disko.devices.disk.main = {
        device = "/dev/disk/by-id/nvme-example";
        imageSize = "20G";
        content = {
          type = "gpt";
          partitions = {
            boot = {
              size = "1M";
              type = "EF02";
            };
            "my data" = {
              size = "1G";
              content = {
                type = "filesystem";
                format = "ext4";
                mountpoint = "/data";
              };
            };
            swap = {
              size = "4G";
              content = {
                type = "swap";
                resumeDevice = true;
                priority = 5;
              };
            };
            a-name-that-is-far-too-long-for-a-label = {
              size = "100%";
              content = {
                type = "luks";
                name = "root";
                askPassword = false;
                settings.keyFile = "/tmp/key";
                settings.allowDiscards = true;
                content = {
                  type = "filesystem";
                  format = "xfs";
                  mountpoint = "/";
                };
              };
            };
          };
        };
      };
      disko.devices.nodev."/tmp" = {
        fsType = "tmpfs";
        mountOptions = [ "size=1G" ];
      };
    }
  ];
  disk = config.disko.devices.disk.main;
in
{
  grub = config.boot.loader.grub.devices;
  resume = config.boot.resumeDevice;
  fileSystems = lib.mapAttrs (_: fs: [
    fs.device
    fs.fsType
    fs.options
  ]) config.fileSystems;
  swap = map (swap: [
    swap.device
    swap.priority
  ]) config.swapDevices;
  luks = lib.mapAttrs (_: luks: [
    luks.device
    luks.keyFile
    luks.allowDiscards
  ]) config.boot.initrd.luks.devices;
  partitions = lib.mapAttrs (_: p: [
    p._index
    p.label
    p.device
    p.type
    p.end
  ]) disk.content.partitions;
  # Names that begin with `_` are not for readers; some of them are functions.
  generated = builtins.filter (lib.hasPrefix "_") (builtins.attrNames disk.content);
  functions = builtins.filter (n: builtins.isFunction disk.content.${n}) (
    builtins.attrNames disk.content
  );
  scripts = builtins.filter (lib.hasPrefix "d") (builtins.attrNames config.system.build);
}
