# The article's layout: a disk from the module arguments, btrfs with a swapfile, no bootstrap.*.
let
  inherit (import ./lib.nix) derivation inner;
in
{
  _module = {
    args = {
      disk = "/dev/vda";
      withSwap = true;
      swapSize = "8";
      pkgs = throw "read pkgs";
    };
    specialArgs.configVars = {
      isMinimal = true;
      persistFolder = "/persist";
      username = "ta";
      email = throw "read a variable that nobody asked for";
      networking = throw "read a variable that nobody asked for";
    };
  };
  options.nixpkgs = {
    pkgs.isDefined = false;
    hostPlatform.isDefined = false;
  };
  config = {
    networking.hostName = "article";
    system = {
      stateVersion = "23.11";
      build = {
        toplevel = derivation "nixos-system-article";
        diskoScript = derivation "disko";
        mountScript = derivation "disko-mount";
        installTest = throw "read disko's test";
      };
    };
    nixpkgs = {
      pkgs = throw "nixpkgs.pkgs is not set";
      hostPlatform = throw "nixpkgs.hostPlatform is not set";
      localSystem.system = "x86_64-linux";
      crossSystem = null;
    };
    disko.devices = {
      _scripts = throw "read disko's scripts";
      disk.disk0 = inner // {
        type = "disk";
        device = "/dev/vda";
        content = inner // {
          type = "gpt";
          partitions = {
            root = inner // {
              name = "root";
              label = "disk-disk0-root";
              type = "8300";
              priority = 9001;
              size = "100%";
              start = "0";
              end = "-0";
              content = inner // {
                type = "btrfs";
                extraArgs = [ "-f" ];
                mountpoint = null;
                mountOptions = [ "defaults" ];
                subvolumes = {
                  "@nix" = inner // {
                    name = "@nix";
                    mountpoint = "/nix";
                    mountOptions = [
                      "compress=zstd"
                      "noatime"
                    ];
                    swap = { };
                  };
                  "@persist" = inner // {
                    name = "@persist";
                    mountpoint = "/persist";
                    mountOptions = [ "defaults" ];
                    swap = { };
                  };
                  "@root" = inner // {
                    name = "@root";
                    mountpoint = "/";
                    mountOptions = [ "defaults" ];
                    swap = { };
                  };
                  "@swap" = inner // {
                    name = "@swap";
                    mountpoint = "/.swapvol";
                    mountOptions = [ "noatime" ];
                    swap.swapfile = inner // {
                      size = "8G";
                      path = "swapfile";
                      priority = null;
                    };
                  };
                };
                swap = { };
              };
            };
            ESP = inner // {
              name = "ESP";
              label = "disk-disk0-ESP";
              type = "EF00";
              priority = 1;
              size = "512M";
              start = "1M";
              end = "+512M";
              content = inner // {
                type = "filesystem";
                format = "vfat";
                mountpoint = "/boot";
                mountOptions = [ "umask=0077" ];
              };
            };
          };
        };
      };
      lvm_vg = { };
      mdadm = { };
      nodev = { };
      zpool = { };
    };
    fileSystems = {
      "/" = throw "read a file system";
      "/persist" = throw "read a file system";
    };
    swapDevices = [
      {
        device = "/.swapvol/swapfile";
        size = null;
        realDevice = throw "read an unknown attribute";
      }
    ];
    zramSwap = {
      enable = false;
      algorithm = throw "read what is switched off";
    };
    services.openssh = {
      enable = true;
      ports = [ 22 ];
      hostKeys = [
        {
          type = "ed25519";
          path = "/persist/etc/ssh/ssh_host_ed25519_key";
          bits = throw "read an unknown attribute";
        }
      ];
      settings.PermitRootLogin = "prohibit-password";
      permitRootLogin = throw "read the renamed option";
    };
    boot.loader = {
      systemd-boot.enable = true;
      grub = {
        enable = false;
        devices = throw "read what is switched off";
      };
      efi.efiSysMountPoint = "/boot";
      raspberryPi = throw "this option has been removed";
    };
    users.users = {
      root.isNormalUser = false;
      other.isNormalUser = true;
    };
  };
}
