# What is in /etc: files of this configuration, links to those of the base, the host's own entries.
{
  util,
  config,
  base,
  hostName,
  release,
  filesystems,
}:
let
  inherit (builtins)
    attrNames
    concatStringsSep
    filter
    isList
    map
    ;
  inherit (util)
    get
    lines
    pairs
    word
    ;

  units = import ./units.nix { inherit util config filesystems; };

  openssh = get config [ "services" "openssh" ] { };
  sshSettings = {
    KbdInteractiveAuthentication = false;
    PasswordAuthentication = true;
    PermitRootLogin = "prohibit-password";
    PrintMotd = false;
    UseDns = false;
    UsePAM = true;
  }
  // get openssh [ "settings" ] { };
  hostKeys = get openssh [ "hostKeys" ] [
    {
      path = "/etc/ssh/ssh_host_ed25519_key";
      type = "ed25519";
    }
  ];
  keyFiles =
    get openssh [ "authorizedKeysFiles" ] [ ]
    ++ filter (file: !builtins.elem file (get openssh [ "authorizedKeysFiles" ] [ ])) [
      "%h/.ssh/authorized_keys"
      "/etc/ssh/authorized_keys.d/%u"
    ];
  sshdConfig = lines (
    map (port: "Port ${toString port}") (get openssh [ "ports" ] [ 22 ])
    ++ map (key: "HostKey ${key.path}") hostKeys
    ++ [
      "AuthorizedKeysFile ${concatStringsSep " " keyFiles}"
      "Subsystem sftp /usr/lib/openssh/sftp-server"
    ]
    ++ map (
      { name, value }:
      "${name} ${if isList value then concatStringsSep "," (map word value) else word value}"
    ) (filter ({ value, ... }: value != null) (pairs sshSettings))
    ++ [
      (get openssh [ "extraConfig" ] "")
      ""
    ]
  );

  # sshd refuses keys behind folders that others may write to, and the store is one: so, copies.
  authorizedKeys = builtins.concatLists (
    map (
      { name, value }:
      let
        given = get value [ "openssh" "authorizedKeys" ] { };
        keys =
          get given [ "keys" ] [ ] ++ map (file: builtins.readFile file) (get given [ "keyFiles" ] [ ]);
      in
      if keys == [ ] then
        [ ]
      else
        [
          {
            name = "ssh/authorized_keys.d/${name}";
            text = lines keys + "\n";
            mode = "0444";
          }
        ]
    ) (pairs (get config [ "users" "users" ] { }))
  );

  # NixOS' public cache has nothing that this system is made of, and asking it takes time.
  isPublicCache = url: builtins.match "https://cache\\.nixos\\.org/?" url != null;
  givenNixSettings = get config [ "nix" "settings" ] { };
  substituters = get givenNixSettings [ "substituters" ] [ ];
  nixSettings = {
    experimental-features = "nix-command flakes";
  }
  // givenNixSettings
  // {
    build-users-group = "";
    sandbox = false;
    substituters = filter (url: !isPublicCache url) (
      if isList substituters then substituters else [ substituters ]
    );
  };

  pam =
    rules:
    lines (
      [
        "auth     required pam_unix.so nullok"
        "account  required pam_unix.so"
        "password required pam_unix.so nullok yescrypt"
        "session  required pam_unix.so"
      ]
      ++ rules
      ++ [ "" ]
    );

  fromBase = name: {
    inherit name;
    source = "${base}/etc/${name}";
  };

  common =
    map fromBase [
      "bash.bashrc"
      "login.defs"
      "mke2fs.conf"
      "security"
      "udev/udev.conf"
    ]
    ++ [
      {
        name = "hostname";
        text = hostName + "\n";
      }
      {
        name = "hosts";
        text = ''
          127.0.0.1 localhost
          ::1 localhost
          127.0.0.2 ${hostName}
        '';
      }
      {
        name = "os-release";
        text = ''
          ANSI_COLOR="0;38;2;126;186;228"
          ID=nixos
          NAME=NixOS
          PRETTY_NAME="NixOS ${release}, made of Debian's programs"
          VERSION="${release}"
          VERSION_ID="${release}"
        '';
      }
      {
        name = "fstab";
        text = filesystems.fstab;
      }
      {
        name = "nsswitch.conf";
        text = ''
          passwd: files
          group: files
          shadow: files
          hosts: files dns
          networks: files
          services: files
        '';
      }
      {
        name = "shells";
        text = ''
          /run/current-system/sw/bin/bash
          /run/current-system/sw/bin/sh
          /bin/sh
        '';
      }
      {
        name = "profile";
        text = ''
          export PATH="$HOME/.nix-profile/bin:/run/current-system/sw/bin:/run/current-system/sw/sbin:/usr/bin:/usr/sbin"
          if [ -n "''${BASH_VERSION-}" ] && [ -f /etc/bash.bashrc ]; then . /etc/bash.bashrc; fi
        '';
      }
      {
        name = "nix/nix.conf";
        text = lines (
          map (
            { name, value }:
            "${name} = ${
              if value == true then
                "true"
              else if value == false then
                "false"
              else
                toString value
            }"
          ) (filter ({ value, ... }: value != null) (pairs nixSettings))
          ++ [ "" ]
        );
      }
      {
        name = "pam.d/other";
        text = pam [ ];
      }
      {
        name = "pam.d/login";
        text = pam [ "session required pam_loginuid.so" ];
      }
      {
        name = "pam.d/sshd";
        text = pam [ "session required pam_loginuid.so" ];
      }
      {
        name = "pam.d/su";
        text = "auth sufficient pam_rootok.so\n" + pam [ ];
      }
      {
        name = "ssh/ssh_config";
        text = "Host *\n  AddressFamily any\n";
      }
      {
        name = "systemd/journald.conf";
        text = "[Journal]\nSystemMaxUse=64M\n";
      }
    ]
    ++ (
      if get openssh [ "enable" ] false then
        [
          {
            name = "ssh/sshd_config";
            text = sshdConfig;
          }
        ]
      else
        [ ]
    )
    ++ authorizedKeys
    ++ (
      let
        rules = get config [ "systemd" "tmpfiles" "rules" ] [ ];
      in
      if rules == [ ] then
        [ ]
      else
        [
          {
            name = "tmpfiles.d/00-nixos.conf";
            text = lines rules + "\n";
          }
        ]
    )
    ++ units;

  ofHost =
    { name, value }:
    {
      name = get value [ "target" ] name;
      mode = get value [ "mode" ] "symlink";
    }
    // (
      if get value [ "text" ] null != null then
        { inherit (value) text; }
      else if get value [ "source" ] null != null then
        { source = "${value.source}"; }
      else
        throw "environment.etc.\"${name}\" has neither a text nor a source"
    );
  hostEntries = map ofHost (
    filter ({ value, ... }: get value [ "enable" ] true) (pairs (get config [ "environment" "etc" ] { }))
  );

  # What the host says wins over what every host has.
  byName = builtins.listToAttrs (
    map (entry: {
      inherit (entry) name;
      value = entry;
    }) (hostEntries ++ common)
  );
  all = map (name: byName.${name}) (attrNames byName);

  numbered = builtins.genList (
    index:
    let
      entry = builtins.elemAt all index;
    in
    entry // { variable = "text${toString index}"; }
  ) (builtins.length all);
in
{
  units = map (unit: unit.name) units;

  # KIND MODE NAME ARGUMENT, where the argument is a link's target or the variable with the text.
  entries = map (
    entry:
    if entry ? text then
      [
        "text"
        (entry.mode or "symlink")
        entry.name
        entry.variable
      ]
    else
      [
        "link"
        (entry.mode or "symlink")
        entry.name
        (entry.source or entry.link)
      ]
  ) numbered;

  texts = map (entry: {
    name = entry.variable;
    value = entry.text;
  }) (filter (entry: entry ? text) numbered);
}
