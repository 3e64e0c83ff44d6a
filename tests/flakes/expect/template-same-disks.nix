# The minimal configuration is derived from the full one, so its disk script is the very same.
let
  common = import ./common;
  script = host: host.config.system.build.diskoScript.drvPath;
in
builtins.mapAttrs (
  name: host: script host == script common.installer.nixosConfigurations.${name}
) common.template.nixosConfigurations
