# What your minimal installations have besides what comes from the host (its disks, swap, boot
# loader, kernel, address, SSH keys) and besides what the next steps need (git, rsync, an SSH
# server). Where a value comes from the host, `lib.mkForce` goes before it.
{ pkgs, ... }:
{
  environment.systemPackages = [
    pkgs.curl
    pkgs.wget
  ];
}
