# The output is not in the store, and a dummy store builds nothing.
import "${derivation { name = "d"; system = "s"; builder = "b"; }}/x.nix"
