# The options of a host that its minimal configuration keeps: what it takes to set up the disks, to
# boot from them, and to be reached. What a
# NixOS does not have is left out.
{
  # Kept as they are.
  options = [
    # Disks and swap.
    [ "disko" "devices" ]
    [ "swapDevices" ]
    [ "zramSwap" "enable" ]
    [ "zramSwap" "algorithm" ]
    [ "zramSwap" "memoryPercent" ]
    [ "zramSwap" "priority" ]
    [ "boot" "resumeDevice" ]
    [ "boot" "swraid" "enable" ]
    [ "boot" "swraid" "mdadmConf" ]
    [ "boot" "zfs" "devNodes" ]
    [ "boot" "zfs" "extraPools" ]
    [ "boot" "zfs" "forceImportRoot" ]
    [ "boot" "zfs" "package" ]
    [ "services" "lvm" "boot" "thin" "enable" ]

    # Kernel and initial RAM disk.
    [ "boot" "kernelPackages" ]
    [ "boot" "kernelPatches" ]
    [ "boot" "kernelParams" ]
    [ "boot" "kernelModules" ]
    [ "boot" "extraModulePackages" ]
    [ "boot" "blacklistedKernelModules" ]
    [ "boot" "supportedFilesystems" ]
    [ "boot" "initrd" "availableKernelModules" ]
    [ "boot" "initrd" "kernelModules" ]
    [ "boot" "initrd" "supportedFilesystems" ]
    [ "boot" "initrd" "luks" "devices" ]
    [ "boot" "initrd" "luks" "reusePassphrases" ]
    [ "boot" "initrd" "systemd" "enable" ]
    [ "hardware" "enableRedistributableFirmware" ]
    [ "hardware" "enableAllFirmware" ]
    [ "hardware" "cpu" "amd" "updateMicrocode" ]
    [ "hardware" "cpu" "intel" "updateMicrocode" ]
    [ "hardware" "deviceTree" "enable" ]
    [ "hardware" "deviceTree" "name" ]
    # A passphrase is typed on this keyboard.
    [ "console" "keyMap" ]
    [ "console" "earlySetup" ]

    # Boot loader.
    [ "boot" "loader" "timeout" ]
    [ "boot" "loader" "efi" "canTouchEfiVariables" ]
    [ "boot" "loader" "efi" "efiSysMountPoint" ]
    [ "boot" "loader" "systemd-boot" "enable" ]
    [ "boot" "loader" "systemd-boot" "consoleMode" ]
    [ "boot" "loader" "systemd-boot" "editor" ]
    [ "boot" "loader" "systemd-boot" "xbootldrMountPoint" ]
    [ "boot" "loader" "grub" "enable" ]
    [ "boot" "loader" "grub" "device" ]
    [ "boot" "loader" "grub" "devices" ]
    [ "boot" "loader" "grub" "mirroredBoots" ]
    [ "boot" "loader" "grub" "efiSupport" ]
    [ "boot" "loader" "grub" "efiInstallAsRemovable" ]
    [ "boot" "loader" "grub" "zfsSupport" ]
    [ "boot" "loader" "generic-extlinux-compatible" "enable" ]
    [ "boot" "loader" "limine" "enable" ]
    [ "boot" "loader" "refind" "enable" ]

    # Being reached at the same address, with the same keys.
    [ "networking" "hostName" ]
    [ "networking" "domain" ]
    [ "networking" "hostId" ]
    [ "networking" "useDHCP" ]
    [ "networking" "useNetworkd" ]
    [ "networking" "interfaces" ]
    [ "networking" "bridges" ]
    [ "networking" "bonds" ]
    [ "networking" "vlans" ]
    [ "networking" "defaultGateway" ]
    [ "networking" "defaultGateway6" ]
    [ "networking" "nameservers" ]
    [ "networking" "usePredictableInterfaceNames" ]
    [ "networking" "networkmanager" "enable" ]
    [ "systemd" "network" "enable" ]
    [ "systemd" "network" "links" ]
    [ "systemd" "network" "netdevs" ]
    [ "systemd" "network" "networks" ]
    [ "services" "openssh" "ports" ]
    [ "services" "openssh" "hostKeys" ]

    # What the tool reads.
    [ "bootstrap" "target" "host" ]
    [ "bootstrap" "target" "port" ]
    [ "bootstrap" "target" "user" ]
    [ "bootstrap" "target" "identityFile" ]
    [ "bootstrap" "persistDir" ]
    [ "bootstrap" "user" ]
    [ "bootstrap" "nixConfig" "path" ]
    [ "bootstrap" "hardware" "generator" ]
    [ "bootstrap" "hardware" "file" ]
    [ "bootstrap" "rebuild" "command" ]

    [ "nixpkgs" "hostPlatform" ]
    [ "system" "stateVersion" ]
  ];

  # Of the file systems, those that are mounted before the system proper starts.
  earlyMountPoints = [
    "/"
    "/boot"
    "/efi"
    "/etc"
    "/nix"
    "/nix/store"
    "/usr"
    "/var"
    "/var/lib"
    "/var/lib/nixos"
    "/var/log"
  ];
}
