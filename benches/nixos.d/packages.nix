# All packages of the nixpkgs at `tree`.
{ tree }:
import tree {
  system = "x86_64-linux";
  config = { };
}
