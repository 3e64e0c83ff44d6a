# The filesystems, swap and encryption of a host: what stage 1 needs, and the fstab for systemd.
{ util, config }:
let
  inherit (builtins)
    concatStringsSep
    elem
    filter
    map
    replaceStrings
    sort
    ;
  inherit (util) get hasPrefix pairs;

  # Without these the system can't even start to activate itself.
  alwaysEarly = [
    "/"
    "/nix"
    "/nix/store"
    "/var"
    "/var/log"
    "/var/lib"
    "/var/lib/nixos"
    "/etc"
    "/usr"
  ];

  normal =
    { name, value }:
    let
      mountPoint = get value [ "mountPoint" ] name;
      label = get value [ "label" ] null;
      device = get value [ "device" ] null;
    in
    {
      inherit mountPoint;
      device =
        if device != null then
          device
        else if label != null then
          "/dev/disk/by-label/${label}"
        else
          throw "fileSystems.\"${name}\" has neither a device nor a label";
      fsType = get value [ "fsType" ] "auto";
      options = get value [ "options" ] [ "defaults" ];
      early = get value [ "neededForBoot" ] false || elem mountPoint alwaysEarly;
      enable = get value [ "enable" ] true;
    };

  # Sorted by path, a parent comes before what is mounted in it.
  all = sort (a: b: a.mountPoint < b.mountPoint) (
    filter (fs: fs.enable) (map normal (pairs (get config [ "fileSystems" ] { })))
  );
  early = filter (fs: fs.early) all;

  # Options that are for systemd or for mount(8), not for the kernel.
  forKernel =
    options:
    let
      kept = filter (
        option:
        !(hasPrefix "x-" option)
        && !(elem option [
          "defaults"
          "nofail"
          "auto"
          "noauto"
          "_netdev"
        ])
      ) options;
    in
    if kept == [ ] then "defaults" else concatStringsSep "," kept;

  # systemd must not unmount at shutdown what stage 1 mounted, while it still runs from it.
  forFstab =
    fs:
    concatStringsSep "," (
      fs.options ++ util.optional (fs.early && fs.mountPoint != "/") "x-initrd.mount"
    );

  escape = replaceStrings [ " " "\t" ] [ "\\040" "\\011" ];

  swaps = get config [ "swapDevices" ] [ ];
  swapOptions =
    swap:
    concatStringsSep "," (
      get swap [ "options" ] [ "defaults" ]
      ++ util.optional (get swap [ "priority" ] null != null) "pri=${toString swap.priority}"
    );

  modulesOf = {
    btrfs = [ "btrfs" ];
    vfat = [
      "vfat"
      "nls_cp437"
      "nls_iso8859_1"
      "nls_ascii"
    ];
    xfs = [ "xfs" ];
    overlay = [ "overlay" ];
    squashfs = [ "squashfs" ];
  };

  luksPair =
    { name, value }:
    [
      name
      value.device
      (get value [ "keyFile" ] "-")
      (if get value [ "allowDiscards" ] false then "--allow-discards" else "-")
    ];
in
{
  inherit swaps;

  fstab = util.lines (
    map (
      fs: "${escape fs.device} ${escape fs.mountPoint} ${fs.fsType} ${escape (forFstab fs)} 0 0"
    ) all
    ++ map (swap: "${escape swap.device} none swap ${swapOptions swap} 0 0") swaps
    ++ [ "" ]
  );

  early =
    if filter (fs: fs.mountPoint == "/") early == [ ] then
      throw "fileSystems has no \"/\": the system could not start"
    else
      map (fs: [
        fs.device
        fs.mountPoint
        fs.fsType
        (forKernel fs.options)
      ]) early;

  modules = builtins.concatLists (
    builtins.attrValues (
      builtins.intersectAttrs (builtins.listToAttrs (
        map (fs: {
          name = fs.fsType;
          value = null;
        }) early
      )) modulesOf
    )
  );

  luks = map luksPair (pairs (get config [ "boot" "initrd" "luks" "devices" ] { }));

  # Swap files that the configuration gives a size are made when they are missing.
  madeSwaps = filter (swap: get swap [ "size" ] null != null) swaps;
}
