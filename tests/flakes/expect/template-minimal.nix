# The minimal configurations of the template's hosts: the same disks and hardware, less of the rest.
let
  common = import ./common;
in
builtins.mapAttrs (_: common.summary) (
  removeAttrs common.installer.nixosConfigurations [ "iso" ]
)
