# mkIso: the hosts' keys and file systems, further modules, the platform.
let
  common = import ./common;
  host = common.host [ "disks-btrfs" "user" ] [
    {
      bootstrap.disk.device = "/dev/vda";
      bootstrap.user = "ta";
      bootstrap.account.keysDir = ./folders/keys;
      fileSystems."/srv" = {
        device = "tank/srv";
        fsType = "zfs";
      };
      fileSystems."/mnt/nas" = {
        device = "nas:/";
        fsType = "nfs";
      };
    }
  ];
  summary = iso: {
    inherit (iso.config.networking) hostName;
    inherit (iso.config.bootstrap) isMinimal;
    inherit (iso.config.boot) supportedFilesystems;
    inherit (iso.config.services.openssh.settings) PasswordAuthentication PermitRootLogin;
    inherit (iso.config.isoImage) squashfsCompression;
    inherit (iso.pkgs.stdenv.hostPlatform) system;
    keys = iso.config.users.users.root.openssh.authorizedKeys.keys;
    warned = iso.config.warnings != [ ];
    image = iso.config.system.build.isoImage.name;
  };
  inherit (common.nixos-bootstrap.lib) mkIso;
in
{
  plain = summary (mkIso { });
  ofHosts = summary (mkIso {
    hosts.a = host;
    hosts.b = host;
    keys = [ "ssh-ed25519 AAAA guest" ];
    system = "aarch64-linux";
    modules = [ { networking.hostName = "stick"; } ];
  });
  refused = builtins.tryEval (mkIso { system = "i686-linux"; }).config;
}
