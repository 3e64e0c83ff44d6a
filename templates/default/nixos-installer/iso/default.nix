# The installer image: the usual one, with your keys, so that it can be reached at once.
{
  lib,
  configLib,
  configVars,
  ...
}:
{
  imports = map configLib.relativeToRoot [
    "hosts/common/core/nix.nix"
    "hosts/common/users/${configVars.username}"
  ];

  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";

  # The default takes half an hour on a slow machine, this takes minutes.
  isoImage.squashfsCompression = "zstd -Xcompression-level 3";

  networking.hostName = "iso";

  services.openssh = {
    enable = true;
    # With a key only. The installer's own default lets root in with a password.
    settings.PermitRootLogin = lib.mkForce "prohibit-password";
  };
  # Some releases' images start the server only when somebody at the console does.
  systemd.services.sshd.wantedBy = lib.mkForce [ "multi-user.target" ];

  services.qemuGuest.enable = true;

  boot.supportedFilesystems = lib.mkForce [
    "btrfs"
    "vfat"
  ];

  system.stateVersion = "24.05";
}
