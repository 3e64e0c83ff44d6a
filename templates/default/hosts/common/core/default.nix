# What every host has. All .nix files of this folder are imported: drop one in and it is used.
{ configLib, ... }:
{
  imports = configLib.scanPaths ./.;
}
