# What every host has. All .nix files of this folder are imported: drop one in and it is used.
# boot.nix, nix.nix and ssh.nix are part of the minimal installation too.
{ configLib, ... }:
{
  imports = configLib.scanPaths ./.;
}
