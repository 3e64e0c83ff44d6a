# The installer image: NixOS's minimal one that can be reached by SSH at once, with keys only.
{
  config,
  lib,
  modulesPath,
  pkgs,
  ...
}:
let
  cfg = config.bootstrap.iso;
in
{
  imports = [
    (modulesPath + "/installer/cd-dvd/installation-cd-minimal.nix")
    # A copy of nixpkgs, so that `nix-shell -p` works on the machine.
    (modulesPath + "/installer/cd-dvd/channel.nix")
    ./iso-options.nix
    ./iso/host-key.nix
    ./iso/network.nix
  ];

  config = {
    bootstrap.isMinimal = true;

    networking.hostName = lib.mkDefault "nixos-installer";
    nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";

    # The strongest compression, the default, takes half an hour on a slow machine; this takes minutes.
    isoImage.squashfsCompression = "zstd -Xcompression-level 3";

    # Hardware that is newer than the release. ZFS follows new kernels late.
    boot.kernelPackages = lib.mkIf (!lib.elem "zfs" cfg.filesystems) (
      lib.mkDefault pkgs.linuxPackages_latest
    );
    # In place of the image's own list, which has ZFS in it.
    boot.supportedFilesystems = lib.mkForce cfg.filesystems;

    services.openssh = {
      enable = true;
      # With a key only. The image's own default lets root in with a password.
      settings = {
        PermitRootLogin = lib.mkForce "prohibit-password";
        PasswordAuthentication = lib.mkForce false;
        KbdInteractiveAuthentication = lib.mkForce false;
      };
    };
    # Some releases' images start the server only when somebody at the console does.
    systemd.services.sshd.wantedBy = lib.mkForce [ "multi-user.target" ];
    users.users.root.openssh.authorizedKeys.keys = cfg.keys;

    # An installation takes a while, and nobody touches the keyboard.
    systemd.targets = lib.genAttrs [
      "sleep"
      "suspend"
      "hibernate"
      "hybrid-sleep"
    ] (_: { enable = false; });

    # Evaluating and copying a system needs memory that small machines lack.
    zramSwap.enable = lib.mkDefault true;
    services.qemuGuest.enable = lib.mkDefault true;

    nix.settings.experimental-features = [
      "nix-command"
      "flakes"
    ];
    # What the steps of an installation use on the machine, besides NixOS's own programs for it.
    environment.systemPackages = [
      pkgs.git
      pkgs.rsync
    ]
    # Not in releases before 24.11.
    ++ lib.optional (pkgs ? nixos-facter) pkgs.nixos-facter;

    warnings = lib.optional (
      config.users.users.root.openssh.authorizedKeys.keys == [ ]
      && config.users.users.root.openssh.authorizedKeys.keyFiles == [ ]
    ) "The installer image has no SSH key for root: nobody can reach a machine that has booted it. Set bootstrap.iso.keys.";
  };
}
