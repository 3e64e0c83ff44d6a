{ config, lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.image = {
    baseName = mkOption {
      type = types.str;
      default = "nixos-image-${config.system.nixos.label}";
      description = "Name of an image's file, without its ending.";
    };
    extension = mkOption {
      type = types.str;
      default = "iso";
      description = "Ending of an image's file.";
    };
    fileName = mkOption {
      type = types.str;
      default = "${config.image.baseName}.${config.image.extension}";
      description = "Name of an image's file.";
    };
    filePath = mkOption {
      type = types.str;
      default = config.image.fileName;
      description = "Path of the image in its derivation.";
    };
  };
}
