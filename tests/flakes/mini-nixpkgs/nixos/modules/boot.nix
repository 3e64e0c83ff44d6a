{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkEnableOption mkOption types;

  names =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };

  # Written as a list or as `{ zfs = false; }`; kept as the latter.
  supportedFilesystems = mkOption {
    type = types.coercedTo (types.listOf types.str) (list: lib.genAttrs list (_: true)) (
      types.attrsOf types.bool
    );
    default = { };
    example = [ "btrfs" ];
    description = "Names of the file systems that can be mounted.";
  };

  luksDevice =
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          description = "Name of the opened device below /dev/mapper.";
        };
        device = mkOption {
          type = types.str;
          example = "/dev/disk/by-partlabel/disk-disk0-luks";
          description = "The encrypted block device.";
        };
        keyFile = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "File with the key. Asked for at the console without one.";
        };
        keyFileSize = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "How many bytes of the key file are the key.";
        };
        keyFileOffset = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "Where in the key file the key begins.";
        };
        keyFileTimeout = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "Seconds to wait for the key file.";
        };
        header = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "File or device with a detached header.";
        };
        preLVM = mkOption {
          type = types.bool;
          default = true;
          description = "Whether to open the device before looking for LVM volumes.";
        };
        allowDiscards = mkOption {
          type = types.bool;
          default = false;
          description = "Whether TRIM requests reach the device.";
        };
        bypassWorkqueues = mkOption {
          type = types.bool;
          default = false;
          description = "Whether dm-crypt works without its queues.";
        };
        fallbackToPassword = mkOption {
          type = types.bool;
          default = config.boot.initrd.systemd.enable;
          description = "Whether to ask for a passphrase when the key file can't be had.";
        };
        tryEmptyPassphrase = mkOption {
          type = types.bool;
          default = false;
          description = "Whether to try an empty passphrase first.";
        };
        crypttabExtraOpts = names "Further options of the device's line in crypttab.";
        preOpenCommands = mkOption {
          type = types.lines;
          default = "";
          description = "Shell commands before the device is opened.";
        };
        postOpenCommands = mkOption {
          type = types.lines;
          default = "";
          description = "Shell commands after the device is opened.";
        };
      };
    };
in
{
  options.boot = {
    loader = {
      timeout = mkOption {
        type = types.nullOr types.int;
        default = 5;
        description = "Seconds before the default entry boots; null waits for ever.";
      };
      systemd-boot = {
        enable = mkEnableOption "the systemd-boot boot loader";
        configurationLimit = mkOption {
          type = types.nullOr types.int;
          default = null;
          example = 10;
          description = "How many generations the boot menu lists.";
        };
        consoleMode = mkOption {
          type = types.enum [
            "0"
            "1"
            "2"
            "5"
            "auto"
            "max"
            "keep"
          ];
          default = "keep";
          description = "The resolution of the console.";
        };
        editor = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the kernel's command line may be changed in the menu.";
        };
        graceful = mkEnableOption "going on when EFI variables can't be written";
      };
      grub = {
        enable = mkOption {
          type = types.bool;
          default = false;
          description = "Whether to enable the GRUB boot loader.";
        };
        device = mkOption {
          type = types.str;
          default = "";
          description = "The disk that GRUB is installed on.";
        };
        devices = names "The disks that GRUB is installed on.";
        efiSupport = mkEnableOption "GRUB for EFI";
        efiInstallAsRemovable = mkEnableOption "GRUB at the place for removable media";
        configurationLimit = mkOption {
          type = types.int;
          default = 100;
          description = "How many generations the boot menu lists.";
        };
        useOSProber = mkEnableOption "looking for other operating systems";
      };
      efi = {
        canTouchEfiVariables = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the installation may change EFI boot variables.";
        };
        efiSysMountPoint = mkOption {
          type = types.str;
          default = "/boot";
          description = "Where the EFI system partition is mounted.";
        };
      };
      generic-extlinux-compatible.enable = mkEnableOption "an extlinux-compatible configuration";
    };

    initrd = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the system boots through an initial RAM disk.";
      };
      availableKernelModules = names "Kernel modules in the initial RAM disk, loaded when a device needs them.";
      kernelModules = names "Kernel modules that the initial RAM disk always loads.";
      includeDefaultModules = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the usual disk drivers are in the initial RAM disk.";
      };
      supportedFilesystems = supportedFilesystems;
      compressor = mkOption {
        type = types.unspecified;
        default = "zstd";
        description = "The program that compresses the initial RAM disk.";
      };
      luks = {
        devices = mkOption {
          type = types.attrsOf (types.submodule luksDevice);
          default = { };
          description = "Encrypted devices that are opened before the root is mounted.";
        };
        mitigateDMAAttacks = mkOption {
          type = types.bool;
          default = true;
          description = "Whether devices with direct memory access wait until the disks are open.";
        };
        reusePassphrases = mkOption {
          type = types.bool;
          default = true;
          description = "Whether a passphrase is tried on all devices.";
        };
      };
      systemd = {
        enable = mkEnableOption "systemd in the initial RAM disk";
        emergencyAccess = mkOption {
          type = types.oneOf [
            types.bool
            (types.nullOr types.str)
          ];
          default = false;
          description = "Whether the emergency shell opens, and with which hashed password.";
        };
        services = mkOption {
          type = types.attrsOf types.anything;
          default = { };
          description = "Units of the initial RAM disk.";
        };
      };
      secrets = mkOption {
        type = types.attrsOf (types.nullOr types.unspecified);
        default = { };
        description = "Files that are put into the initial RAM disk when the boot loader is written.";
      };
      verbose = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the initial RAM disk says what it does.";
      };
      network.enable = mkEnableOption "the network in the initial RAM disk";
      postDeviceCommands = mkOption {
        type = types.lines;
        default = "";
        description = "Shell commands after the devices are there.";
      };
      postMountCommands = mkOption {
        type = types.lines;
        default = "";
        description = "Shell commands after the root is mounted.";
      };
    };

    kernelModules = names "Kernel modules that are loaded at boot.";
    blacklistedKernelModules = names "Kernel modules that are never loaded by themselves.";
    extraModulePackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages with further kernel modules.";
    };
    extraModprobeConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Lines for modprobe's configuration.";
    };
    kernelParams = mkOption {
      type = types.listOf (types.strMatching ''([^"[:space:]]|"[^"]*")+'');
      default = [ ];
      description = "Words of the kernel's command line.";
    };
    kernelPackages = mkOption {
      type = types.raw;
      default = pkgs.linuxPackages;
      defaultText = lib.literalExpression "pkgs.linuxPackages";
      description = "The kernel and what is built for it.";
    };
    kernel.sysctl = mkOption {
      type = types.attrsOf (
        types.nullOr (
          types.oneOf [
            types.bool
            types.int
            types.str
          ]
        )
      );
      default = { };
      description = "Kernel parameters that are set at run time.";
    };
    consoleLogLevel = mkOption {
      type = types.int;
      default = 4;
      description = "Kernel messages below this level are shown on the console.";
    };
    resumeDevice = mkOption {
      type = types.str;
      default = "";
      description = "The device that a hibernated system is read from.";
    };
    growPartition = mkEnableOption "growing the root partition at boot";
    supportedFilesystems = supportedFilesystems;
    swraid = {
      enable = mkEnableOption "software RAID";
      mdadmConf = mkOption {
        type = types.lines;
        default = "";
        description = "Lines of mdadm.conf.";
      };
    };
    tmp = {
      useTmpfs = mkEnableOption "a tmpfs at /tmp";
      cleanOnBoot = mkEnableOption "an empty /tmp after each boot";
    };
    zfs = {
      extraPools = names "Pools that are imported at boot.";
      forceImportRoot = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the root pool is imported even when another machine used it last.";
      };
      devNodes = mkOption {
        type = types.str;
        default = "/dev/disk/by-id";
        description = "Where pools' devices are looked for.";
      };
    };
    plymouth.enable = mkEnableOption "the boot splash";
    binfmt.emulatedSystems = names "Systems whose programs run through QEMU.";
    postBootCommands = mkOption {
      type = types.lines;
      default = "";
      description = "Shell commands before systemd starts.";
    };
  };

  config.assertions = [
    {
      assertion =
        config.boot.loader.grub.enable
        -> config.boot.loader.grub.device != "" || config.boot.loader.grub.devices != [ ];
      message = "You must set the option ‘boot.loader.grub.devices’ or 'boot.loader.grub.device' to make the system bootable.";
    }
    {
      assertion = !(config.boot.loader.grub.enable && config.boot.loader.systemd-boot.enable);
      message = "The boot loaders GRUB and systemd-boot are both enabled; choose one.";
    }
  ];
}
