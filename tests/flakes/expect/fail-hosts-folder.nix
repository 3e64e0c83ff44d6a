# No folder of hosts.
let
  common = import ./common;
in
common.nixos-bootstrap.lib.mkHosts {
  inputs = { inherit (common) nixpkgs; };
  root = ./folders;
  folder = "machines";
}
