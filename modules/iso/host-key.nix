# A place on the image for a host key of the SSH server: a file of a fixed size, empty, that the tool's
# `iso --pin-host-key` finds in the finished image and fills while it writes it to a stick. So the key is neither in
# the Nix store nor in the image that was built.
{ lib, pkgs, ... }:
let
  # What the tool looks for. It knows the size, too.
  header = "nixos-bootstrap: a place for the SSH host key\n";
  size = 4096;
  padding = lib.concatStrings (lib.genList (_: "\n") (size - lib.stringLength header));
in
{
  isoImage.contents = [
    {
      source = pkgs.writeText "host-key-slot" (header + padding);
      # A name that ISO 9660 has as it is, but for its capitals.
      target = "/host_key.slt";
    }
  ];

  # The key of the slot is the only one, so that no other is shown.
  services.openssh.hostKeys = lib.mkDefault [
    {
      path = "/etc/ssh/ssh_host_ed25519_key";
      type = "ed25519";
    }
  ];

  systemd.services.nixos-installer-host-key = {
    description = "SSH host key that was written into the installer image";
    wantedBy = [ "sshd.service" ];
    # The second makes keys in newer releases.
    before = [
      "sshd.service"
      "sshd-keygen.service"
    ];
    path = [
      pkgs.coreutils
      pkgs.gnused
      pkgs.openssh
    ];
    script = builtins.readFile ./host-key.sh;
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
    };
  };
}
