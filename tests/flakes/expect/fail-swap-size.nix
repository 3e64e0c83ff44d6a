# A size with a unit: GiB are meant.
let
  host = (import ./common).host [ "disks-btrfs" ] [ { bootstrap.disk.swapSize = "8G"; } ];
in
host.config.bootstrap.disk.swapSize
