# A small disko: the same options, the same generated configuration and scripts of the same
# shape, for tests that build and run them on machines without a NixOS binary cache. The scripts
# are for real: they partition, format and mount with the tools in PATH.
{
  description = "Small stand-in for disko, for tests";

  inputs = { };

  outputs =
    { self }:
    {
      nixosModules.disko = ./module.nix;
      nixosModules.default = ./module.nix;
    };
}
