# The types of devices, and what they have in common.
#
# Each thing on a disk (a table, a file system, …) is a submodule in ./types. Besides its options
# it has generated ones, whose names begin with `_`:
#   _create   shell commands that make it and what is in it
#   _mount    { dev; fs.<mount point>; }, shell commands that open devices, and that mount
#   _unmount  the same in the other direction
#   _config   pieces of NixOS configuration
#   _meta     a function: what depends on which other device
#   _pkgs     a function of pkgs: the tools
#   _parent   what it is in
#   _unsupported  what the scripts can't do about it
{ lib, rootMountPoint }:
let
  inherit (lib) mkOption types;

  contentModules = lib.genAttrs [
    "btrfs"
    "filesystem"
    "gpt"
    "luks"
    "lvm_pv"
    "mdraid"
    "swap"
    "zfs"
  ] (name: ./types + "/${name}.nix");

  hook =
    what:
    mkOption {
      type = types.lines;
      default = "";
      description = "Shell commands ${what}.";
    };

  hooks.options = {
    preCreateHook = hook "before it is made";
    postCreateHook = hook "after it is made";
    preMountHook = hook "before it is mounted";
    postMountHook = hook "after it is mounted";
    preUnmountHook = hook "before it is unmounted";
    postUnmountHook = hook "after it is unmounted";
  };

  submoduleOf =
    module: specialArgs:
    types.submoduleWith {
      shorthandOnlyDefinesConfig = true;
      modules = [
        module
        hooks
      ];
      specialArgs = {
        inherit diskoLib lib rootMountPoint;
      }
      // specialArgs;
    };

  diskoLib = {
    quote = lib.escapeShellArg;
    lines = lib.concatStringsSep "\n";

    absolutePath = types.strMatching "/.*" // {
      description = "absolute path";
    };

    # The content of a device. Its `type` says which of the types' modules it is checked by.
    contentOption =
      allowed:
      { parent, device }:
      let
        allowedModules = lib.getAttrs allowed contentModules;
        kindOf =
          loc: defs:
          (lib.evalModules {
            prefix = loc;
            modules = [
              {
                freeformType = types.lazyAttrsOf types.raw;
                options.type = mkOption { type = types.enum (lib.attrNames allowedModules); };
              }
            ]
            ++ map (def: {
              _file = def.file;
              config = def.value;
            }) defs;
          }).config.type;
      in
      mkOption {
        type = types.nullOr (
          lib.mkOptionType {
            name = "content";
            description = "content with a type of ${lib.concatStringsSep ", " (lib.attrNames allowedModules)}";
            check = lib.isAttrs;
            merge =
              loc: defs:
              (submoduleOf allowedModules.${kindOf loc defs} { inherit parent device; }).merge loc defs;
          }
        );
        default = null;
        description = "What is on the device.";
      };
    deviceContent = diskoLib.contentOption (lib.attrNames contentModules);
    partitionContent = diskoLib.contentOption (lib.remove "gpt" (lib.attrNames contentModules));

    deviceType = name: submoduleOf (./types + "/${name}.nix") { };

    internal =
      default:
      mkOption {
        internal = true;
        readOnly = true;
        type = types.raw;
        inherit default;
        description = "Generated.";
      };
    createOption =
      config: script:
      diskoLib.internal (diskoLib.lines [
        config.preCreateHook
        script
        config.postCreateHook
      ]);
    mountOption = config: mount: diskoLib.internal (withHooks config.preMountHook config.postMountHook mount);
    unmountOption =
      config: mount: diskoLib.internal (withHooks config.preUnmountHook config.postUnmountHook mount);

    # The mounts of several things that are part of one.
    joinMounts = mounts: {
      dev = diskoLib.lines (map (m: m.dev or "") mounts);
      fs = lib.foldl' (acc: m: acc // (m.fs or { })) { } mounts;
    };
    # What things depend on. An array has several members, so lists are put together.
    joinMeta = lib.foldl' (
      a: b:
      lib.zipAttrsWith (
        _: values:
        if lib.length values == 1 then
          lib.head values
        else if lib.all lib.isAttrs values then
          diskoLib.joinMeta values
        else
          lib.concatLists values
      ) [ a b ]
    ) { };
    contentsOf = things: lib.filter (c: c != null) (map (t: t.content) (lib.attrValues things));

    mountCommand =
      {
        device,
        mountpoint,
        fsType,
        options,
      }:
      "mount_at "
      + lib.escapeShellArgs [
        device
        (place mountpoint)
        fsType
        (lib.concatStringsSep "," options)
      ];
    unmountCommand = mountpoint: "unmount_at ${diskoLib.quote (place mountpoint)}";

    # udev writes characters that are not safe in a link's name as \xNN.
    udevName =
      let
        unsafe = {
          " " = "20";
          "!" = "21";
          "\"" = "22";
          "$" = "24";
          "%" = "25";
          "&" = "26";
          "'" = "27";
          "(" = "28";
          ")" = "29";
          "*" = "2a";
          "," = "2c";
          "/" = "2f";
          ";" = "3b";
          "<" = "3c";
          ">" = "3e";
          "?" = "3f";
          "[" = "5b";
          "\\" = "5c";
          "]" = "5d";
          "^" = "5e";
          "`" = "60";
          "{" = "7b";
          "|" = "7c";
          "}" = "7d";
          "~" = "7e";
        };
        chars = lib.attrNames unsafe;
      in
      lib.replaceStrings chars (map (c: "\\x${unsafe.${c}}") chars);

    toplevel = types.submoduleWith {
      shorthandOnlyDefinesConfig = true;
      modules = [ ./toplevel.nix ];
      specialArgs = {
        inherit diskoLib lib rootMountPoint;
      };
    };
  };

  place = mountpoint: lib.removeSuffix "/" (rootMountPoint + mountpoint);

  withHooks =
    before: after:
    lib.mapAttrs (
      name: value:
      if name == "fs" then
        lib.mapAttrs (_: command: wrap before after command) value
      else
        wrap before after value
    );
  wrap =
    before: after: command:
    if before == "" && after == "" then
      command
    else
      diskoLib.lines [
        before
        command
        after
      ];
in
diskoLib
