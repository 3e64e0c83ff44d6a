# A folder of hosts/ that is none.
let
  common = import ./common;
  hosts = common.nixos-bootstrap.lib.mkHosts {
    inputs = { inherit (common) nixpkgs; };
    root = ./folders/broken;
  };
in
hosts.empty.config.networking.hostName
