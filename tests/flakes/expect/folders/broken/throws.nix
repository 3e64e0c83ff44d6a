{ lib, ... }:
{
  bootstrap.disk.device = "/dev/vda";
  boot.kernelParams = [ (lib.head [ ]) ];
}
