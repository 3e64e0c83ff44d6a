# The systemd units of a host: its own and those that every host has. As files below /etc/systemd.
{ util, config, filesystems }:
let
  inherit (builtins)
    concatStringsSep
    isList
    map
    replaceStrings
    ;
  inherit (util)
    get
    hasContent
    pairs
    word
    ;

  boolean = value: if value == true then "true" else if value == false then "false" else word value;

  # One `Key=value` line for each value.
  setting =
    { name, value }:
    if value == null then
      ""
    else if isList value then
      concatStringsSep "" (map (item: "${name}=${boolean item}\n") value)
    else
      "${name}=${boolean value}\n";
  settings = set: concatStringsSep "" (map setting (pairs set));

  unitKeys = {
    after = "After";
    before = "Before";
    wants = "Wants";
    requires = "Requires";
    bindsTo = "BindsTo";
    partOf = "PartOf";
    conflicts = "Conflicts";
    requisite = "Requisite";
  };

  unitSection =
    unit:
    "[Unit]\n"
    + (if hasContent (get unit [ "description" ] "") then "Description=${unit.description}\n" else "")
    + concatStringsSep "" (
      map (
        { name, value }:
        let
          others = get unit [ name ] [ ];
        in
        if others == [ ] then "" else "${value}=${concatStringsSep " " others}\n"
      ) (pairs unitKeys)
    )
    + settings (get unit [ "unitConfig" ] { })
    + (if get unit [ "restartIfChanged" ] true then "" else "X-RestartIfChanged=false\n")
    + (if get unit [ "stopIfChanged" ] true then "" else "X-StopIfChanged=false\n")
    + (
      let
        triggers = get unit [ "restartTriggers" ] [ ];
      in
      if triggers == [ ] then "" else "X-Restart-Triggers=${toString triggers}\n"
    );

  # A script becomes a file of its own; systemd would split and expand it.
  scripts = {
    script = "ExecStart";
    preStart = "ExecStartPre";
    postStart = "ExecStartPost";
    preStop = "ExecStop";
    postStop = "ExecStopPost";
    reload = "ExecReload";
  };
  scriptFile = unitName: kind: "systemd/scripts/${unitName}-${kind}";
  scriptPairs = unit: builtins.filter ({ name, ... }: hasContent (get unit [ name ] "")) (pairs scripts);

  serviceText =
    name: unit:
    unitSection unit
    + "\n[Service]\n"
    + concatStringsSep "" (
      map (
        { name, value }: "Environment=\"${name}=${replaceStrings [ "\"" ] [ "\\\"" ] (toString value)}\"\n"
      ) (builtins.filter ({ value, ... }: value != null) (pairs (get unit [ "environment" ] { })))
    )
    + concatStringsSep "" (
      map (script: "${script.value}=/run/current-system/sw/bin/bash -e /etc/${scriptFile name script.name}\n") (
        scriptPairs unit
      )
    )
    # The unit must change when its script does, or a switch would not restart it.
    + concatStringsSep "" (
      map (
        script:
        "X-Script-${script.name}=${builtins.hashString "sha256" (builtins.unsafeDiscardStringContext unit.${script.name})}\n"
      ) (scriptPairs unit)
    )
    + settings (get unit [ "serviceConfig" ] { });

  links =
    file: unit:
    map (target: {
      name = "systemd/system/${target}.wants/${file}";
      link = "../${file}";
    }) (get unit [ "wantedBy" ] [ ])
    ++ map (target: {
      name = "systemd/system/${target}.requires/${file}";
      link = "../${file}";
    }) (get unit [ "requiredBy" ] [ ]);

  unitFiles =
    file: unit: text:
    if get unit [ "enable" ] true then
      [
        {
          name = "systemd/system/${file}";
          inherit text;
        }
      ]
      ++ links file unit
    else
      [
        {
          name = "systemd/system/${file}";
          link = "/dev/null";
        }
      ];

  service =
    name: unit:
    unitFiles "${name}.service" unit (serviceText name unit)
    ++ map (script: {
      name = scriptFile name script.name;
      text = unit.${script.name} + "\n";
    }) (scriptPairs unit);

  other =
    section: configKey: suffix:
    builtins.concatLists (
      map (
        { name, value }:
        unitFiles "${name}.${suffix}" value (
          unitSection value + "\n[${section}]\n" + settings (get value [ configKey ] { })
        )
      ) (pairs (get config [ "systemd" "${suffix}s" ] { }))
    );

  openssh = get config [ "services" "openssh" ] { };
  hostKeys = get openssh [ "hostKeys" ] [
    {
      path = "/etc/ssh/ssh_host_ed25519_key";
      type = "ed25519";
    }
  ];

  sshd = {
    sshd-keygen = {
      description = "SSH host keys";
      before = [ "sshd.service" ];
      unitConfig.RequiresMountsFor = map (key: dirOf key.path) hostKeys;
      # A key that is there is the host's, whoever made it.
      script = concatStringsSep "\n" (
        map (
          key:
          let
            bits = get key [ "bits" ] null;
          in
          ''
            if ! [ -s '${key.path}' ]; then
              rm -f '${key.path}'
              mkdir -p "$(dirname '${key.path}')"
              ssh-keygen -q -t '${key.type}'${
                if bits == null then "" else " -b ${toString bits}"
              } -f '${key.path}' -N ""
            fi
          ''
        ) hostKeys
      );
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
    };
    sshd = {
      description = "SSH Daemon";
      wantedBy = [ "multi-user.target" ];
      after = [
        "network.target"
        "sshd-keygen.service"
      ];
      wants = [ "sshd-keygen.service" ];
      # A change of the configuration must reach the running daemon, but not end the sessions.
      unitConfig.X-Restart-Triggers = builtins.hashString "sha256" (
        builtins.unsafeDiscardStringContext (builtins.toJSON [ (get openssh [ "settings" ] { }) (get openssh [ "ports" ] [ 22 ]) hostKeys (get openssh [ "extraConfig" ] "") ])
      );
      serviceConfig = {
        Type = "notify";
        ExecStart = "/usr/sbin/sshd -D -e -f /etc/ssh/sshd_config";
        ExecReload = "/usr/bin/kill -HUP $MAINPID";
        KillMode = "process";
        Restart = "always";
        RuntimeDirectory = "sshd";
        RuntimeDirectoryPreserve = true;
      };
    };
  };

  swapUnitName = device: replaceStrings [ "-" "/" ] [ "\\x2d" "-" ] (builtins.substring 1 4096 device);
  makeSwap =
    swap:
    service "mkswap-${swapUnitName swap.device}" {
      description = "Swap file ${swap.device}";
      requiredBy = [ "${swapUnitName swap.device}.swap" ];
      before = [ "${swapUnitName swap.device}.swap" ];
      unitConfig = {
        DefaultDependencies = false;
        RequiresMountsFor = dirOf swap.device;
      };
      script = ''
        if ! [ -e '${swap.device}' ]; then
          if [ "$(stat -f -c %T '${dirOf swap.device}')" = btrfs ]; then
            btrfs filesystem mkswapfile --size ${toString swap.size}m '${swap.device}'
          else
            fallocate -l ${toString swap.size}MiB '${swap.device}'
            chmod 0600 '${swap.device}'
            mkswap '${swap.device}'
          fi
        fi
      '';
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
    };

  # networkd tells which name servers DHCP found; without resolved nothing writes them down.
  resolvconf = {
    resolvconf = {
      description = "Name servers from the network's state";
      wantedBy = [ ];
      script = ''
        servers=$(sed -n 's/^DNS=//p' /run/systemd/netif/state)
        [ -n "$servers" ] || exit 0
        for server in $servers; do echo "nameserver $server"; done >/etc/resolv.conf.new
        mv /etc/resolv.conf.new /etc/resolv.conf
      '';
      serviceConfig.Type = "oneshot";
    };
  };

  nixDaemon = {
    nix-daemon = {
      description = "Nix Daemon";
      unitConfig.RequiresMountsFor = "/nix/store";
      serviceConfig = {
        ExecStart = "@/usr/bin/nix-daemon nix-daemon --daemon";
        KillMode = "process";
      };
    };
  };

  useDHCP = get config [ "networking" "useDHCP" ] true;

  fromDebian =
    name: targets: [ ]
    ++ map (target: {
      name = "systemd/system/${target}.wants/${name}";
      link = "/usr/lib/systemd/system/${name}";
    }) targets;

  own =
    (if get openssh [ "enable" ] false then sshd else { })
    // (if useDHCP then resolvconf else { })
    // nixDaemon;
  services = own // get config [ "systemd" "services" ] { };
in
[
  {
    name = "systemd/system/default.target";
    link = "/usr/lib/systemd/system/multi-user.target";
  }
  # Debian asks udev for each of some thousand devices; these are the ones with something to do.
  {
    name = "systemd/system/systemd-udev-trigger.service.d/few.conf";
    text = ''
      [Service]
      ExecStart=
      ExecStart=-udevadm trigger --type=devices --action=add --prioritized-subsystem=block,net --subsystem-match=block --subsystem-match=net --subsystem-match=pci --subsystem-match=virtio --subsystem-match=scsi --subsystem-match=misc --subsystem-match=rtc
      ExecStart=-udevadm trigger --type=devices --action=add --subsystem-match=tty --sysname-match=ttyS0
    '';
  }
  {
    name = "systemd/system/nix-daemon.socket";
    text = ''
      [Unit]
      Description=Nix Daemon Socket
      RequiresMountsFor=/nix/store
      ConditionPathIsReadWrite=/nix/var/nix/daemon-socket

      [Socket]
      ListenStream=/nix/var/nix/daemon-socket/socket
    '';
  }
  {
    name = "systemd/system/sockets.target.wants/nix-daemon.socket";
    link = "../nix-daemon.socket";
  }
]
# The serial console is enough: nobody sits at a screen. And nothing hands credentials to this host.
++ map
  (name: {
    name = "systemd/system/${name}";
    link = "/dev/null";
  })
  [
    "getty@.service"
    "systemd-networkd-persistent-storage.service"
    "systemd-udev-load-credentials.service"
  ]
++ (
  if useDHCP then
    fromDebian "systemd-networkd.service" [ "multi-user.target" ]
    ++ fromDebian "systemd-networkd.socket" [ "sockets.target" ]
    ++ fromDebian "systemd-networkd-varlink.socket" [ "sockets.target" ]
    ++ [
      {
        name = "systemd/network/99-ethernet-dhcp.network";
        text = ''
          [Match]
          Type=ether
          Kind=!*

          [Network]
          DHCP=yes
          IPv6PrivacyExtensions=kernel

          [DHCPv4]
          UseDomains=yes
        '';
      }
      {
        name = "systemd/system/resolvconf.path";
        text = ''
          [Unit]
          Description=Name servers from the network's state
          Before=systemd-networkd.service

          [Path]
          PathChanged=/run/systemd/netif/state
        '';
      }
      {
        name = "systemd/system/multi-user.target.wants/resolvconf.path";
        link = "../resolvconf.path";
      }
    ]
  else
    [ ]
)
++ builtins.concatLists (map ({ name, value }: service name value) (pairs services))
++ builtins.concatLists (map makeSwap filesystems.madeSwaps)
++ other "Socket" "socketConfig" "socket"
++ other "Timer" "timerConfig" "timer"
++ other "Path" "pathConfig" "path"
++ builtins.concatLists (
  map ({ name, value }: unitFiles "${name}.target" value (unitSection value)) (
    pairs (get config [ "systemd" "targets" ] { })
  )
)
