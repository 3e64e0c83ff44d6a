# mkHosts: a folder is a host, with what its modules get.
let
  common = import ./common;
  hosts = common.nixos-bootstrap.lib.mkHosts {
    inputs = {
      inherit (common) nixpkgs;
      marker = "marked";
    };
    root = ./folders;
    vars = common.nixos-bootstrap.lib.mkVars { username = "ta"; };
    modules = [ { nixpkgs.hostPlatform = "aarch64-linux"; } ];
  };
in
builtins.mapAttrs (_: host: {
  inherit (host.config.networking) domain hostName useDHCP;
  inherit (host.config.bootstrap) isMinimal;
  inherit (host.pkgs.stdenv.hostPlatform) system;
}) hosts
