# The full configurations of the template's hosts.
let
  common = import ./common;
in
builtins.mapAttrs (_: common.summary) common.template.nixosConfigurations
