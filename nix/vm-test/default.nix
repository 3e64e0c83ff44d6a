# A whole bootstrap on two virtual machines: one with the tool and a flake, one that has booted an
# installer and has an empty disk, and that is the host of the flake at the end.
#
# Neither has a network. All that the host consists of is in the first machine's store beforehand, and
# its flake names its inputs by store paths, so that evaluating it there gives the very same system.
{
  self,
  pkgs,
  disko,
  package,
}:
let
  inherit (import (pkgs.path + "/nixos/tests/ssh-keys.nix") pkgs) snakeOilPrivateKey snakeOilPublicKey;

  inputs = {
    nixpkgs = self.inputs.nixpkgs.outPath;
    disko = disko.outPath;
    nixos-bootstrap = self.outPath;
  };
  settings = {
    inherit (pkgs.stdenv.hostPlatform) system;
    inherit (pkgs.lib.trivial) release;
    key = snakeOilPublicKey;
    # The driver numbers the machines by their names.
    address = "192.168.1.1";
  };
  host = import ./host.nix (inputs // { inherit settings; });

  flake = pkgs.writeText "flake.nix" (
    builtins.replaceStrings (map (name: "@${name}@") (builtins.attrNames inputs)) (
      builtins.attrValues inputs
    ) (builtins.readFile ./flake.nix)
  );
in
pkgs.testers.runNixOSTest {
  name = "nixos-bootstrap";

  nodes = {
    installer = {
      virtualisation = {
        # Its own boot loader, so that after the installation the other disk's can come first.
        useBootLoader = true;
        useEFIBoot = true;
        emptyDiskImages = [ 8192 ];
        memorySize = 2048;
        writableStore = true;
      };
      boot.loader.systemd-boot.enable = true;
      boot.supportedFilesystems = [ "btrfs" ];
      system.nixos.variant_id = "installer";
      services.openssh.enable = true;
      users.users.root.openssh.authorizedKeys.keys = [ snakeOilPublicKey ];
      nix.settings.substituters = pkgs.lib.mkForce [ ];
    };
    source = {
      virtualisation = {
        memorySize = 4096;
        writableStore = true;
        additionalPaths = [
          host.config.system.build.toplevel
          host.config.system.build.diskoScript
        ]
        ++ builtins.attrValues inputs;
      };
      environment.systemPackages = [
        package
        pkgs.git
      ];
      nix.settings = {
        experimental-features = [
          "nix-command"
          "flakes"
        ];
        substituters = pkgs.lib.mkForce [ ];
        flake-registry = "";
      };
    };
  };

  testScript = ''
    installer.start(allow_reboot=True)
    source.start()
    installer.wait_for_unit("sshd.service")
    source.wait_for_unit("multi-user.target")

    source.succeed(
        "install -m 600 ${snakeOilPrivateKey} /root/id",
        "mkdir -p /root/nix-config/hosts/target",
        "cp ${flake} /root/nix-config/flake.nix",
        "cp ${./host.nix} /root/nix-config/host.nix",
        "cp ${pkgs.writeText "settings.json" (builtins.toJSON settings)} /root/nix-config/settings.json",
        "cd /root/nix-config && git init -q && git add -A",
        "cd /root/nix-config && git -c user.name=t -c user.email=t@example.org commit -qm config",
    )
    key = installer.succeed("cat /etc/ssh/ssh_host_ed25519_key.pub").strip()
    connection = f"-d root@installer -k /root/id --host-key '{key}'"

    with subtest("the plan changes nothing"):
        source.succeed(f"cd /root/nix-config && nixos-bootstrap plan target {connection} >&2")
        installer.fail("blkid /dev/vdb*")

    with subtest("the machine becomes the host"):
        source.succeed(
            f"cd /root/nix-config && nixos-bootstrap bootstrap target --yes {connection}"
            " --skip secrets,lock,sync,commit >&2"
        )

    with subtest("it runs from its own disk"):
        ssh = "ssh -i /root/id -o StrictHostKeyChecking=yes root@installer"
        assert source.succeed(f"{ssh} hostname").strip() == "target"
        source.succeed(f"{ssh} findmnt --source /dev/vdb2 /")
        source.succeed(f"{ssh} swapon --noheadings | grep -q swapfile")
        source.succeed("test -s /root/nix-config/hosts/target/hardware.nix")
  '';
}
