# A console with the installation's tools.
{ lib, ... }:
{
  imports = [
    ./iso-image.nix
    ./channel.nix
  ];

  isoImage.edition = lib.mkDefault "minimal";
  isoImage.makeEfiBootable = true;
  isoImage.makeUsbBootable = true;

  system.nixos.variant_id = lib.mkDefault "installer";
  services.openssh.enable = lib.mkDefault true;
  services.openssh.settings.PermitRootLogin = lib.mkDefault "yes";
  services.getty.autologinUser = lib.mkDefault "nixos";
  nix.settings.trusted-users = [ "nixos" ];
  networking.hostName = lib.mkOverride 1250 "nixos";

  # The image's own user, besides those of the configuration.
  users.users.nixos = {
    isNormalUser = true;
    extraGroups = [
      "wheel"
      "networkmanager"
      "video"
    ];
    initialHashedPassword = "";
  };
  users.users.root.initialHashedPassword = "";
  security.sudo.wheelNeedsPassword = lib.mkImageMediaOverride false;
}
