# The options of an installer image. The image itself is not built here: it would need the
# packages of a real nixpkgs. The derivation exists, so that its name and place can be read.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkEnableOption mkOption types;
in
{
  options.isoImage = {
    isoName = mkOption {
      type = types.str;
      default = config.image.fileName;
      description = "Name of the image's file.";
    };
    isoBaseName = mkOption {
      type = types.str;
      default = "nixos";
      description = "First part of the file's name.";
    };
    edition = mkOption {
      type = types.str;
      default = "";
      description = "Which of several images it is.";
    };
    volumeID = mkOption {
      type = types.str;
      default = "nixos-${config.system.nixos.release}";
      description = "Label of the image's file system.";
    };
    squashfsCompression = mkOption {
      type = types.nullOr types.str;
      default = "zstd -Xcompression-level 19";
      description = "Compression of the store in the image; null for none.";
    };
    compressImage = mkEnableOption "compression of the whole image";
    makeEfiBootable = mkEnableOption "booting with EFI";
    makeUsbBootable = mkEnableOption "booting from a USB stick";
    contents = mkOption {
      type = types.listOf types.attrs;
      default = [ ];
      description = "Files on the image.";
    };
    storeContents = mkOption {
      type = types.listOf types.path;
      default = [ ];
      description = "Store paths on the image.";
    };
    includeSystemBuildDependencies = mkEnableOption "an image that can rebuild itself";
    appendToMenuLabel = mkOption {
      type = types.str;
      default = " Installer";
      description = "Last part of the boot menu's entries.";
    };
  };

  config = {
    image.baseName = lib.mkDefault "nixos-${
      lib.optionalString (config.isoImage.edition != "") "${config.isoImage.edition}-"
    }${config.system.nixos.label}-${pkgs.stdenv.hostPlatform.system}";
    image.filePath = lib.mkDefault "iso/${config.isoImage.isoName}";
    boot.loader.grub.enable = false;
    fileSystems."/" = lib.mkImageMediaOverride {
      fsType = "tmpfs";
      device = "tmpfs";
      options = [ "mode=0755" ];
    };
    system.build.isoImage = pkgs.runCommand config.isoImage.isoName {
      inherit (config.isoImage) volumeID squashfsCompression;
      passthru.isoName = config.isoImage.isoName;
    } ''
      echo "This nixpkgs is a stand-in and builds no images; use the real one." >&2
      exit 1
    '';
  };
}
