# Packages that stand for Debian's programs: $out/bin/NAME links to /usr/bin/NAME of the machine
# that the package is used on. They build in a moment with nothing but /bin/sh and coreutils of
# the building machine, hence without a sandbox only.
{
  lib,
  system,
  config ? { },
  overlays ? [ ],
}:
let
  builderPath = "/usr/bin:/bin";

  package =
    {
      pname,
      version ? "0",
      meta ? { },
      ...
    }@args:
    let
      drv = derivation (
        {
          inherit system;
          name = "${pname}-${version}";
          builder = "/bin/sh";
          PATH = builderPath;
        }
        // removeAttrs args [
          "pname"
          "version"
          "meta"
          "passthru"
        ]
      );
    in
    drv
    // {
      inherit pname version;
      meta = {
        mainProgram = pname;
        available = true;
        description = "stands for Debian's ${pname}";
      }
      // meta;
    }
    // args.passthru or { };

  # Takes the arguments of a real package, whose lists of packages become one.
  cannotBuild =
    args:
    let
      drv = package (
        removeAttrs args [ "cargoLock" ]
        // {
          args = [
            "-euc"
            "echo 'This nixpkgs is a stand-in and compiles nothing; use the real one.' >&2; exit 1"
          ];
        }
      );
    in
    drv // { overrideAttrs = change: cannotBuild (args // change args); };

  programs =
    pname: names:
    package {
      inherit pname;
      args = [
        "-euc"
        ''mkdir -p "$out/bin"; for n in $names; do ln -s "/usr/bin/$n" "$out/bin/$n"; done''
      ];
      names = lib.concatStringsSep " " names;
      meta.mainProgram = if names == [ ] then pname else lib.head names;
      passthru = lib.optionalAttrs (lib.elem pname [
        "bash"
        "zsh"
        "fish"
      ]) { shellPath = "/bin/${pname}"; };
    };

  text =
    name: text: mode:
    derivation {
      inherit
        name
        system
        text
        mode
        ;
      builder = "/bin/sh";
      PATH = builderPath;
      args = [
        "-euc"
        ''printf '%s' "$text" > "$out"; chmod "$mode" "$out"''
      ];
    };

  kernel = {
    kernel = package {
      pname = "linux";
      version = "6.12.0";
      args = [
        "-euc"
        "mkdir -p $out"
      ];
    };
    zfs = programs "zfs-kernel" [ ];
  };

  # The program's package has the program's name unless the list says otherwise.
  single = lib.genAttrs [
    "age"
    "avahi"
    "cargo"
    "clippy"
    "coreutils"
    "cryptsetup"
    "curl"
    "dosfstools"
    "efibootmgr"
    "fish"
    "gawk"
    "git"
    "gnugrep"
    "gnused"
    "gnutar"
    "gzip"
    "home-manager"
    "htop"
    "iproute2"
    "jq"
    "installShellFiles"
    "just"
    "kmod"
    "less"
    "makeWrapper"
    "nano"
    "nix"
    "nixfmt-tree"
    "nixos-facter"
    "openssh"
    "parted"
    "pciutils"
    "procps"
    "qrencode"
    "rsync"
    "rust-analyzer"
    "rustc"
    "rustfmt"
    "shellcheck"
    "sops"
    "ssh-to-age"
    "sudo"
    "systemd"
    "tmux"
    "tree"
    "usbutils"
    "vim"
    "wget"
    "xfsprogs"
    "zfs"
    "zsh"
    "zstd"
  ] (name: programs name [ name ]);

  base =
    final:
    single
    // {
      inherit lib system config;
      stdenv = {
        inherit system;
        hostPlatform = lib.systems.elaborate system;
        buildPlatform = lib.systems.elaborate system;
        isLinux = true;
        isDarwin = false;
      };

      callPackage =
        file: args:
        let
          function = if builtins.isFunction file then file else import file;
        in
        function (builtins.intersectAttrs (builtins.functionArgs function) final // args);

      # Derivations that need a compiler can be looked at, not built.
      rustPlatform.buildRustPackage = cannotBuild;
      mkShell = args: cannotBuild ({ pname = "nix-shell"; } // removeAttrs args [ "packages" ] // { inputs = args.packages or [ ]; });
      testers.runNixOSTest =
        module:
        let
          test = if builtins.isFunction module then module { inherit lib; pkgs = final; } else module;
        in
        cannotBuild {
          pname = "vm-test-run-${test.name}";
          inherit (test) testScript;
          nodes = builtins.attrNames test.nodes;
        };
      path = ./..;
      hello = programs "hello" [ "hello" ];
      bash = programs "bash" [ "bash" ];
      bashInteractive = final.bash;
      btrfs-progs = programs "btrfs-progs" [
        "btrfs"
        "mkfs.btrfs"
      ];
      dosfstools = programs "dosfstools" [
        "mkfs.vfat"
        "fsck.vfat"
      ];
      e2fsprogs = programs "e2fsprogs" [
        "mkfs.ext4"
        "fsck.ext4"
      ];
      gptfdisk = programs "gptfdisk" [ "sgdisk" ];
      lvm2 = programs "lvm2" [ "lvm" ];
      mdadm = programs "mdadm" [ "mdadm" ];
      neovim = programs "neovim" [ "nvim" ];
      openssh = programs "openssh" [
        "ssh"
        "sshd"
        "ssh-keygen"
      ];
      gitMinimal = final.git;
      coreutils-full = final.coreutils;
      systemdMinimal = final.systemd;
      util-linux = programs "util-linux" [
        "lsblk"
        "findmnt"
        "mount"
        "umount"
        "wipefs"
      ];
      nixVersions.latest = final.nix;
      nixVersions.stable = final.nix;
      linuxPackages = kernel;
      linuxPackages_latest = kernel;
      linuxPackages_6_12 = kernel;
      linuxPackagesFor = _: kernel;

      writeText = name: content: text name content "444";
      writeScript = name: content: text name content "555";
      writeShellScript = name: content: text name "#!/bin/sh\n${content}" "555";
      writeShellScriptBin =
        name: content:
        final.runCommand name
          {
            script = "#!/bin/sh\n${content}";
            program = name;
            passthru.meta.mainProgram = name;
          }
          ''
            mkdir -p "$out/bin"
            printf '%s' "$script" > "$out/bin/$program"
            chmod 555 "$out/bin/$program"
          '';
      runCommand =
        name: env: command:
        package (
          {
            pname = name;
            inherit name;
            args = [
              "-euc"
              command
            ];
          }
          // env
        );
      symlinkJoin =
        { name, paths, ... }:
        final.runCommand name { paths = map toString paths; } ''
          mkdir -p "$out"
          for p in $paths; do cp -rsf "$p/." "$out/"; chmod -R u+w "$out"; done
        '';
      buildEnv = final.symlinkJoin;
      formats.json = _: {
        type = lib.types.anything;
        generate = name: value: final.writeText name (builtins.toJSON value);
      };
    };
in
lib.fix (
  final:
  lib.foldl' (previous: overlay: previous // overlay final previous) (base final) overlays
)
