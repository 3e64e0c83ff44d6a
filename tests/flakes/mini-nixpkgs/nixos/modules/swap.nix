{ lib, ... }:
let
  inherit (lib) mkEnableOption mkOption types;

  randomEncryption = {
    options = {
      enable = mkEnableOption "encryption with a key that is thrown away at each boot";
      allowDiscards = mkEnableOption "TRIM requests through the encryption";
      cipher = mkOption {
        type = types.str;
        default = "aes-xts-plain64";
        description = "The cipher.";
      };
      keySize = mkOption {
        type = types.nullOr types.int;
        default = null;
        description = "Bits of the key.";
      };
      sectorSize = mkOption {
        type = types.nullOr types.int;
        default = null;
        description = "Bytes of a sector.";
      };
      source = mkOption {
        type = types.str;
        default = "/dev/urandom";
        description = "Where the key comes from.";
      };
    };
  };

  swap =
    { config, ... }:
    {
      options = {
        device = mkOption {
          type = types.nonEmptyStr;
          example = "/dev/sda3";
          description = "The device or the file.";
        };
        label = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "Label of the device, when it is known by that.";
        };
        size = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "MiB of the file, which is made when it is missing.";
        };
        priority = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "0 to 32767; higher is used first. null leaves it to the kernel.";
        };
        randomEncryption = mkOption {
          type = types.coercedTo types.bool (enable: { inherit enable; }) (types.submodule randomEncryption);
          default = { };
          description = "Encryption with a key that is thrown away at each boot.";
        };
        discardPolicy = mkOption {
          type = types.nullOr (
            types.enum [
              "once"
              "pages"
              "both"
            ]
          );
          default = null;
          description = "Which TRIM requests the device gets.";
        };
        options = mkOption {
          type = types.listOf types.nonEmptyStr;
          default = [ "defaults" ];
          description = "Options of swapon.";
        };
        deviceName = mkOption {
          type = types.str;
          internal = true;
          description = "The device as a name below /dev/mapper.";
        };
        realDevice = mkOption {
          type = types.str;
          internal = true;
          description = "What swapon gets.";
        };
      };
      config = {
        device = lib.mkIf (config.label != null) (lib.mkDefault "/dev/disk/by-label/${config.label}");
        deviceName = lib.replaceStrings [ "/" ] [ "-" ] (lib.removePrefix "/" config.device);
        realDevice =
          if config.randomEncryption.enable then "/dev/mapper/${config.deviceName}" else config.device;
      };
    };
in
{
  options = {
    swapDevices = mkOption {
      type = types.listOf (types.submodule swap);
      default = [ ];
      description = "The swap devices and files.";
    };
    zramSwap = {
      enable = mkEnableOption "swap in compressed memory";
      algorithm = mkOption {
        type = types.str;
        default = "zstd";
        description = "The compression.";
      };
      memoryPercent = mkOption {
        type = types.int;
        default = 50;
        description = "Most of the memory that may be used, in percent.";
      };
      priority = mkOption {
        type = types.int;
        default = 5;
        description = "The priority of the devices.";
      };
    };
  };
}
