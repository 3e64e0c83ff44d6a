# The installer image: reached by key only, even though the image's own modules allow more.
let
  common = import ./common;
  inherit (common.installer.nixosConfigurations.iso) config;
in
{
  inherit (config.networking) hostName;
  inherit (config.system.nixos) variant_id;
  inherit (config.isoImage) isoName squashfsCompression;
  inherit (config.services.openssh.settings) PermitRootLogin;
  inherit (config.boot) supportedFilesystems;
  sshd = config.systemd.services.sshd.wantedBy;
  users = builtins.attrNames config.users.users;
  image = config.system.build.isoImage.name;
}
