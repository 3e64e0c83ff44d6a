# What a generated hardware-configuration.nix imports on a real machine.
{ lib, ... }:
{
  hardware.enableRedistributableFirmware = lib.mkDefault true;
}
