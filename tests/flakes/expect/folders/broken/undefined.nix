{ lib, ... }:
{
  bootstrap.disk.device = "/dev/vda";
  networking.hostName = nothing-of-this-name;
}
