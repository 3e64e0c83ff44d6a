# Stands for sops-nix: the same options for the same configuration. What sops-nix does with libraries
# of its own, the real programs sops and ssh-to-age do here. Both come as one store path whose hash
# programs.json has; tests/vm/nix-secrets puts it into the store.
{
  description = "Small stand-in for sops-nix, for tests";

  inputs = { };

  outputs = _: { nixosModules.sops = ./module.nix; };
}
