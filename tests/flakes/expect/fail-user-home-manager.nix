# A home without home-manager.
let
  host = (import ./common).host [ "user" "disks-btrfs" ] [
    {
      bootstrap.user = "ta";
      bootstrap.disk.device = "/dev/vda";
      bootstrap.account.homeManager = ./folders/hosts/one;
      bootstrap.account.keys = [ "ssh-ed25519 AAAA ta" ];
    }
  ];
in
host.config.system.build.toplevel.drvPath
