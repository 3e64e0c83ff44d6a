# The system of that machine, with the nixpkgs at `tree`.
{ tree }:
import (tree + "/nixos") {
  configuration = ./host.nix;
  system = "x86_64-linux";
}
