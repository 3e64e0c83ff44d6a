{
  config,
  device,
  diskoLib,
  lib,
  parent,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (diskoLib) quote;

  table = config;
  sorted = lib.sort (a: b: a.priority < b.priority) (lib.attrValues config.partitions);
  contents = diskoLib.contentsOf config.partitions;

  partition =
    { name, config, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          description = "Name of the partition.";
        };
        type = mkOption {
          type = types.strMatching "[A-Fa-f0-9]{4}|[A-Fa-f0-9]{8}(-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}";
          default = if config.content != null && config.content.type == "swap" then "8200" else "8300";
          example = "EF00";
          description = "sgdisk's short code of the partition's type, or its GUID.";
        };
        priority = mkOption {
          type = types.int;
          default =
            if config.size == "100%" then
              9001
            else if config.type == "EF02" then
              100
            else
              1000;
          description = "Partitions with a smaller number are made first.";
        };
        size = mkOption {
          type = types.strMatching "100%|[0-9]+[KMGTP]?";
          default = "0";
          description = "Size; 100% takes what is left.";
        };
        start = mkOption {
          type = types.str;
          default = "0";
          description = "Where it starts; 0 is the next free place.";
        };
        end = mkOption {
          type = types.str;
          default = if config.size == "100%" then "-0" else "+${config.size}";
          description = "Where it ends; + from its start, - from the disk's end.";
        };
        alignment = mkOption {
          type = types.int;
          default = 0;
          description = "Sectors to align to; 0 leaves it to sgdisk.";
        };
        label = mkOption {
          type = types.str;
          default =
            let
              label = "${table._parent.type}-${table._parent.name}-${config.name}";
              # A GPT name has room for 36 characters.
              limit = 36;
            in
            if lib.stringLength label > limit then
              lib.substring 0 limit (builtins.hashString "sha256" label)
            else
              label;
          description = "The partition's name in the table.";
        };
        uuid = mkOption {
          type = types.nullOr (types.strMatching "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
          default = null;
          description = "The partition's GUID; a random one without it.";
        };
        attributes = mkOption {
          type = types.listOf types.int;
          default = [ ];
          description = "Attribute bits.";
        };
        device = mkOption {
          type = types.str;
          default =
            if config.uuid != null then
              "/dev/disk/by-partuuid/${config.uuid}"
            else
              "/dev/disk/by-partlabel/${diskoLib.udevName config.label}";
          description = "The device that the partition is used by.";
        };
        hybrid = mkOption {
          type = types.nullOr (
            types.submodule {
              options = {
                mbrPartitionType = mkOption {
                  type = types.nullOr types.str;
                  default = null;
                  description = "Type code in the MBR.";
                };
                mbrBootableFlag = mkOption {
                  type = types.bool;
                  default = false;
                  description = "Whether it is active in the MBR.";
                };
              };
            }
          );
          default = null;
          description = "Entry in a hybrid MBR.";
        };
        content = diskoLib.partitionContent {
          parent = table;
          inherit (config) device;
        };
        _index = diskoLib.internal (
          1 + lib.findFirst (n: (lib.elemAt sorted n).name == config.name) 0 (lib.range 0 (lib.length sorted - 1))
        );
      };
    };

  create =
    p:
    lib.concatStringsSep " " [
      "make_partition"
      (quote table.device)
      (toString p._index)
      (quote "${p.start}:${p.end}")
      (quote p.label)
      p.type
      (if p.uuid == null then "R" else p.uuid)
      (quote (toString (lib.unique p.attributes)))
      (quote p.device)
    ];
in
{
  options = {
    type = mkOption {
      type = types.enum [ "gpt" ];
      internal = true;
      description = "A GUID partition table.";
    };
    device = mkOption {
      type = types.str;
      default = device;
      description = "The disk.";
    };
    partitions = mkOption {
      type = types.attrsOf (types.submodule partition);
      default = { };
      description = "The partitions by name.";
    };
    efiGptPartitionFirst = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the protective entry is the first of a hybrid MBR.";
    };
    _parent = diskoLib.internal parent;
    _meta = diskoLib.internal (dev: diskoLib.joinMeta (map (c: c._meta dev) contents));
    _create = diskoLib.createOption config (
      diskoLib.lines (
        [
          ''
            if [ "$(table_kind ${quote config.device})" != gpt ]; then
              say "making a partition table on ${config.device}"
              sgdisk --clear ${quote config.device} >/dev/null
            fi''
        ]
        ++ map create sorted
        ++ map (p: p.content._create) (lib.filter (p: p.content != null) sorted)
      )
    );
    _mount = diskoLib.mountOption config (diskoLib.joinMounts (map (c: c._mount) contents));
    _unmount = diskoLib.unmountOption config (diskoLib.joinMounts (map (c: c._unmount) contents));
    _config = diskoLib.internal (
      map (c: c._config) contents
      ++ lib.optional (lib.any (p: p.type == "EF02") sorted) {
        boot.loader.grub.devices = [ config.device ];
      }
    );
    _pkgs = diskoLib.internal (
      pkgs:
      [
        pkgs.gptfdisk
        pkgs.parted
      ]
      ++ lib.concatMap (c: c._pkgs pkgs) contents
    );
    _unsupported = diskoLib.internal (
      lib.optional (lib.any (p: p.hybrid != null) sorted) "hybrid partition tables"
      ++ lib.concatMap (c: c._unsupported) contents
    );
  };
}
