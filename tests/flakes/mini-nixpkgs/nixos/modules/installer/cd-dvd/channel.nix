# In the real nixpkgs: a copy of nixpkgs on the image, for nix-channel.
{ lib, ... }:
{
  nix.channel.enable = lib.mkDefault true;
}
