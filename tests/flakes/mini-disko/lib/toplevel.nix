# disko.devices: the devices by kind, and the scripts over all of them.
{
  config,
  diskoLib,
  lib,
  rootMountPoint,
  ...
}:
let
  inherit (lib) mkOption types;

  devicesOf =
    kind: description:
    mkOption {
      type = types.attrsOf (diskoLib.deviceType kind);
      default = { };
      inherit description;
    };

  # Volume groups and arrays are made of what is on disks, hence after them.
  ordered = lib.concatMap lib.attrValues [
    config.disk
    config.mdadm
    config.lvm_vg
    config.zpool
    config.nodev
  ];

  mounts = diskoLib.joinMounts (map (device: device._mount) ordered);
  unmounts = diskoLib.joinMounts (map (device: device._unmount) (lib.reverseList ordered));
  disksToWipe = map (disk: disk.device) (lib.filter (disk: disk.destroy) (lib.attrValues config.disk));
  unsupported = lib.unique (lib.concatMap (device: device._unsupported) ordered);

  confirm = ''
    if [ "''${1-}" != --yes-wipe-all-disks ]; then
      echo "This destroys all data on: ${toString disksToWipe}" >&2
      printf 'Type yes to go on: ' >&2
      read -r answer || answer=
      [ "$answer" = yes ] || fail "stopped, nothing was changed"
    fi
  '';
in
{
  options = {
    disk = devicesOf "disk" "Disks.";
    mdadm = devicesOf "mdadm" "Software RAID arrays.";
    lvm_vg = devicesOf "lvm_vg" "LVM volume groups.";
    zpool = devicesOf "zpool" "ZFS pools.";
    nodev = devicesOf "nodev" "File systems without a device.";
    bcachefs_filesystems = mkOption {
      type = types.attrsOf types.anything;
      default = { };
      description = "bcachefs file systems, which this stand-in can't make.";
    };

    _meta = diskoLib.internal (
      diskoLib.joinMeta (map (device: device._meta) ordered)
    );
    _packages = diskoLib.internal (pkgs: lib.unique (lib.concatMap (device: device._pkgs pkgs) ordered));
    _config =
      let
        pieces = lib.flatten (map (device: device._config) ordered);
        keys = lib.unique (lib.concatMap lib.attrNames pieces);
      in
      diskoLib.internal (lib.genAttrs keys (key: lib.mkMerge (lib.catAttrs key pieces)));

    _destroy = diskoLib.internal ''
      unmount_tree ${diskoLib.quote rootMountPoint}
      ${lib.concatMapStringsSep "\n" (disk: "wipe_disk ${diskoLib.quote disk}") disksToWipe}
    '';
    # What belongs to which group or array is noted while the disks are made.
    _create = diskoLib.internal (
      diskoLib.lines (
        [
          ''
            members=$(mktemp -d)
            trap 'rm -rf "$members"' EXIT''
        ]
        ++ map (device: device._create) ordered
      )
    );
    # A directory's name is a prefix of the names below it, so that sorted means outer first.
    _mount = diskoLib.internal (diskoLib.lines ([ mounts.dev ] ++ lib.attrValues mounts.fs));
    _unmount = diskoLib.internal (
      diskoLib.lines (lib.reverseList (lib.attrValues unmounts.fs) ++ [ unmounts.dev ])
    );
    _disko = diskoLib.internal (
      diskoLib.lines [
        config._destroy
        config._create
        config._mount
      ]
    );

    _scripts = diskoLib.internal (
      { pkgs, ... }:
      let
        text = parts: diskoLib.lines ([ "#!/bin/sh" (builtins.readFile ./prelude.sh) ] ++ parts);
        # Both shapes of the real ones: the older are a program each, the newer have a bin folder.
        file = name: parts: pkgs.writeScript name (text parts);
        program =
          name: parts:
          pkgs.runCommand name { script = text parts; } ''
            mkdir -p "$out/bin"
            printf '%s' "$script" > "$out/bin/${name}"
            chmod 555 "$out/bin/${name}"
          '';
        guarded =
          _: script:
          if config.disk == { } then
            throw "No disks defined, did you forget to import your disko config?"
          else if unsupported != [ ] || config.bcachefs_filesystems != { } then
            throw "this stand-in for disko has no script for: ${
              lib.concatStringsSep ", " (
                unsupported ++ lib.optional (config.bcachefs_filesystems != { }) "bcachefs"
              )
            }"
          else
            script;
        inherit (config)
          _create
          _destroy
          _mount
          _unmount
          ;
      in
      lib.mapAttrs guarded {
        diskoScript = file "disko" [ config._disko ];
        destroyScript = file "disko-destroy" [ _destroy ];
        formatScript = file "disko-format" [ _create ];
        mountScript = file "disko-mount" [ _mount ];
        unmountScript = file "disko-unmount" [ _unmount ];

        destroy = program "disko-destroy" [
          confirm
          _destroy
        ];
        format = program "disko-format" [ _create ];
        mount = program "disko-mount" [ _mount ];
        unmount = program "disko-unmount" [ _unmount ];
        formatMount = program "disko-format-mount" [
          _create
          _mount
        ];
        destroyFormatMount = program "disko-destroy-format-mount" [
          confirm
          _destroy
          _create
          _mount
        ];
      }
    );
  };
}
