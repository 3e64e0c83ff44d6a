# From a host's configuration to its `toplevel`: a small bootable Linux whose programs and kernel
# are the payload. What is in it and what it leaves out: README.md.
{
  lib ? null,
  config,
  payload,
  system,
}:
let
  inherit (builtins)
    concatStringsSep
    filter
    map
    toString
    ;

  base = payload.debian-base;
  kernel = payload.debian-kernel;
  boot = payload.debian-boot;

  util = import ./util.nix;
  inherit (util) get;

  hostName = get config [ "networking" "hostName" ] "nixos";
  release = get config [ "system" "nixos" "release" ] (
    get config [ "system" "stateVersion" ] "24.05"
  );
  label = get config [ "system" "nixos" "label" ] release;

  filesystems = import ./filesystems.nix { inherit util config; };
  etc = import ./etc.nix {
    inherit
      util
      config
      base
      hostName
      release
      filesystems
      ;
  };
  users = import ./users.nix { inherit util config; };
  activation = import ./activation.nix { inherit util config; };

  # Only busybox from the payload runs in a build, so that this machine's programs don't matter.
  build =
    name: attributes:
    derivation (
      {
        inherit name system;
        builder = "${boot}/bin/sh";
        preferLocalBuild = true;
        allowSubstitutes = false;
        base = "${base}";
        kernel = "${kernel}";
        boot = "${boot}";
      }
      // attributes
    );

  encrypted = filesystems.luks != [ ];

  initrd = build "initrd-linux" {
    args = [ "${./build-initrd.sh}" ];
    init = "${./stage-1.sh}";
    passAsFile = [
      "mounts"
      "luks"
    ];
    mounts = util.table filesystems.early;
    luks = util.table filesystems.luks;
    programs = if encrypted then "usr/sbin/cryptsetup usr/sbin/dmsetup" else "";
    # What udev opens by name; see tests/vm/payload-libraries.
    opened_libraries = "libkmod.so.2 libblkid.so.1 libacl.so.1";
    # 99-systemd: systemd finds the disks known when it starts, and waits for no second look at them.
    rules = concatStringsSep " " (
      [
        "50-udev-default.rules"
        "60-block.rules"
        "60-persistent-storage.rules"
        "64-btrfs.rules"
        "80-drivers.rules"
        "99-systemd.rules"
      ]
      ++ util.optionals encrypted [
        "55-dm.rules"
        "60-persistent-storage-dm.rules"
        "95-dm-notify.rules"
      ]
    );
    module_names = concatStringsSep " " (
      [
        "ahci"
        "ata_piix"
        "nvme"
        "sd_mod"
        "virtio_blk"
        "virtio_scsi"
      ]
      ++ filesystems.modules
      ++ (
        if encrypted then
          [
            "aesni_intel"
            "algif_hash"
            "algif_skcipher"
            "dm_crypt"
          ]
        else
          [ ]
      )
    );
  };

  ownParameters = get config [ "boot" "kernelParams" ] [ ];
  hasConsole = filter (word: builtins.match "console=.*" word != null) ownParameters != [ ];
  # The last console is the one that asks for passphrases: the serial one, if nothing else is said.
  kernelParameters =
    (if hasConsole then [ ] else [ "console=tty0" "console=ttyS0,115200" ])
    ++ (
      if builtins.any (word: builtins.match "loglevel=.*" word != null) ownParameters then
        [ ]
      else
        [ "loglevel=4" ]
    )
    ++ ownParameters;

  limit = get config [ "boot" "loader" "systemd-boot" "configurationLimit" ] null;

  toplevel = build "nixos-system-${hostName}-${label}" (
    {
      args = [ "${./build-toplevel.sh}" ];
      inherit label;
      initrd = "${initrd}";
      platform = system;
      stage2 = "${./stage-2.sh}";
      activate = "${./activate.sh}";
      users_awk = "${./users.awk}";
      switch = "${./switch-to-configuration.sh}";
      esp = get config [ "boot" "loader" "efi" "efiSysMountPoint" ] "/boot";
      boot_loader =
        if get config [ "boot" "loader" "systemd-boot" "enable" ] false then "systemd-boot" else "none";
      boot_timeout = toString (get config [ "boot" "loader" "timeout" ] 0);
      boot_limit = if limit == null then "" else toString limit;
      mutable_users = if get config [ "users" "mutableUsers" ] false then "yes" else "no";
      kernel_params = concatStringsSep " " kernelParameters;
      users = util.table users.users;
      groups = util.table users.groups;
      entries = util.table etc.entries;
      snippets = activation;
      passAsFile = [
        "users"
        "groups"
        "entries"
        "snippets"
      ]
      ++ map (text: text.name) etc.texts;
    }
    // builtins.listToAttrs etc.texts
  );
in
{
  inherit toplevel initrd kernel;
  inherit (etc) units;
}
