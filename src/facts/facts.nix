# What the tool wants to know of hosts, as a value that can become JSON.
#
# Takes `host` (a name, or null for every host) and `scope`, then `nixosConfigurations`. The scope is
# "summary" (what a list of hosts shows), "options" (what the configuration says), or "outputs" (that,
# and the derivations that are built of it, for which the whole system is evaluated). Gives `{ known = [ names ]; hosts.NAME =
# …; }`, where a host that is not there is left out.
#
# - Only builtins: the flake's nixpkgs may be of any age, or none at all.
# - An option that this NixOS does not have is left out. One that throws, throws.
# - Every value is read only where it is asked for by name, as options may be very dear to evaluate
#   or throw by design when read (removed options do).
# - The shape is that of the configuration, so that the decoders can name the option that is wrong.
{ host, scope }:
configurations:
let
  inherit (builtins)
    attrNames
    concatMap
    filter
    hasAttr
    isAttrs
    isFunction
    isList
    isString
    listToAttrs
    map
    mapAttrs
    removeAttrs
    substring
    toString
    typeOf
    unsafeDiscardStringContext
    ;

  isCallable = value: isFunction value || (isAttrs value && value ? __functor);

  # disko keeps its inner workings in attributes that begin with `_`.
  isPublic = name: substring 0 1 name != "_";
  public = set: removeAttrs set (filter (name: !isPublic name) (attrNames set));

  # Any value without functions and inner attributes. `toString` gives a path's text without
  # copying the file; strings lose their context, as nothing of this is meant to be built.
  plain =
    value:
    if typeOf value == "path" then
      unsafeDiscardStringContext (toString value)
    else if isString value then
      unsafeDiscardStringContext value
    else if isList value then
      map plain (filter (item: !isCallable item) value)
    else if isCallable value then
      null
    else if !isAttrs value then
      value
    else if value ? outPath then
      plain value.outPath
    else
      mapAttrs (_: plain) (
        removeAttrs (public value) (filter (name: isCallable value.${name}) (attrNames (public value)))
      );

  # A set's attributes of these names, where it has them, each read its own way. What is no set is
  # left to the decoders to refuse.
  record =
    fields: value:
    if !isAttrs value then
      plain value
    else
      listToAttrs (
        concatMap (
          name:
          if hasAttr name value then
            [
              {
                inherit name;
                value = fields.${name} value.${name};
              }
            ]
          else
            [ ]
        ) (attrNames fields)
      );

  # Every attribute, or every item, read the same way.
  each = read: value: if isAttrs value then mapAttrs (_: read) (public value) else plain value;
  items = read: value: if isList value then map read value else plain value;
  eachOrItems = read: value: if isList value then map read value else each read value;

  # Nothing but `enable` of what is switched off: the rest may not even be defined.
  whenEnabled =
    fields: value:
    record (if isAttrs value && value.enable or false == true then fields else { enable = plain; }) value;

  # Of a derivation, its two paths. Not under their own names: a set with an `outPath` becomes
  # nothing but that path in JSON.
  derivation =
    value:
    if isAttrs value then
      {
        drv = plain (value.drvPath or null);
        out = plain (value.outPath or null);
      }
    else
      plain value;

  at =
    path: set:
    if path == [ ] then
      { found = set; }
    else if isAttrs set && hasAttr (builtins.head path) set then
      at (builtins.tail path) set.${builtins.head path}
    else
      { };

  swapfiles = each (record {
    size = plain;
    path = plain;
  });

  content =
    value:
    if value == null then
      null
    else
      record {
        type = plain;
        format = plain;
        name = plain;
        partitions = eachOrItems partition;
        mountpoint = plain;
        mountOptions = plain;
        subvolumes = each (record {
          name = plain;
          mountpoint = plain;
          mountOptions = plain;
          swap = swapfiles;
        });
        # disko's type "swap" has no such attribute, btrfs has.
        swap = swapfiles;
        passwordFile = plain;
        keyFile = plain;
        askPassword = plain;
        settings = record { keyFile = plain; };
        additionalKeyFiles = plain;
        vg = plain;
        pool = plain;
        randomEncryption = plain;
        resumeDevice = plain;
        priority = plain;
        inherit content;
      } value;

  partition = record {
    name = plain;
    label = plain;
    type = plain;
    priority = plain;
    size = plain;
    start = plain;
    end = plain;
    bootable = plain;
    flags = plain;
    inherit content;
  };

  # Properties that say how a key is got.
  zfsOptions = record {
    keyformat = plain;
    keylocation = plain;
  };

  devices = record {
    disk = each (record {
      device = plain;
      inherit content;
    });
    lvm_vg = each (record {
      name = plain;
      lvs = each (record {
        name = plain;
        priority = plain;
        size = plain;
        inherit content;
      });
    });
    mdadm = each (record {
      name = plain;
      level = plain;
      inherit content;
    });
    zpool = each (record {
      name = plain;
      # A topology of its own is a set, of which only that it is one matters.
      mode = mode: if isAttrs mode then "custom" else plain mode;
      rootFsOptions = zfsOptions;
      datasets = each (record {
        name = plain;
        type = plain;
        mountpoint = plain;
        options = zfsOptions;
        size = plain;
        inherit content;
      });
    });
    nodev = each (record {
      fsType = plain;
      mountpoint = plain;
      mountOptions = plain;
    });
  };

  # Boot loaders besides GRUB and systemd-boot. Named one by one: NixOS throws at the removed ones.
  otherLoaders = [
    "external"
    "generic-extlinux-compatible"
    "limine"
    "refind"
  ];
  enabled = record { enable = plain; };

  options = record {
    networking = record { hostName = plain; };
    system = record { stateVersion = plain; };
    disko = record { inherit devices; };
    swapDevices = items (record {
      device = plain;
      size = plain;
    });
    warnings = plain;
    zramSwap = whenEnabled {
      enable = plain;
      memoryPercent = plain;
      algorithm = plain;
    };
    boot = record {
      loader = record (
        {
          systemd-boot = enabled;
          grub = whenEnabled {
            enable = plain;
            efiSupport = plain;
            forceInstall = plain;
            device = plain;
            devices = plain;
            mirroredBoots = items (record { devices = plain; });
          };
          efi = record { efiSysMountPoint = plain; };
        }
        // listToAttrs (
          map (name: {
            inherit name;
            value = enabled;
          }) otherLoaders
        )
      );
      lanzaboote = whenEnabled {
        enable = plain;
        allowUnsigned = plain;
      };
    };
  };

  bootstrap = {
    target = record {
      host = plain;
      port = plain;
      user = plain;
      identityFile = plain;
    };
    isMinimal = plain;
    persistDir = plain;
    user = plain;
    nixConfig = record { path = plain; };
    secrets = record {
      repo = plain;
      file = plain;
      ageKeyPath = plain;
      hostKeyPath = plain;
    };
    hardware = record {
      generator = plain;
      file = plain;
    };
    rebuild = record { command = plain; };
  };

  # The old name still answers where there is a new one, but with a warning.
  openssh =
    ssh:
    record (
      {
        enable = plain;
        ports = plain;
        hostKeys = items (record {
          type = plain;
          path = plain;
        });
      }
      // (
        if at [ "settings" "PermitRootLogin" ] ssh == { } then
          { permitRootLogin = plain; }
        else
          { settings = record { PermitRootLogin = plain; }; }
      )
    ) ssh;

  # What is true of one evaluated host, each part read by its own function.
  facts =
    evaluated:
    let
      inherit (evaluated) config;
      optionAt = path: (at path (evaluated.options or { })).found or { };

      # An option without a default throws where nothing sets it; `options` tells beforehand.
      isDefined =
        path: at path config != { } && (!isAttrs (optionAt path) || (optionAt path).isDefined or true);
      # 1500 is the priority of an option's own default.
      isSet = path: isDefined path && (optionAt path).highestPrio or 100 < 1500;

      args = evaluated._module.args or { };
      specialArgs = evaluated._module.specialArgs or evaluated.specialArgs or { };
      # The article's variables hold much more, some of it from inputs that the flake of the
      # minimal configurations does not have.
      configVars = record {
        isMinimal = plain;
        persistFolder = plain;
        username = plain;
      } (args.configVars or specialArgs.configVars or { });

      sops = record {
        age = record {
          keyFile = plain;
          sshKeyPaths = plain;
        };
        ${if isDefined [ "sops" "defaultSopsFile" ] then "defaultSopsFile" else null} = plain;
        secrets = each (record {
          key = plain;
          sopsFile = plain;
        });
      };

      # That our module's default says "no" must not hide that the article's variable says "yes".
      overruled =
        if configVars ? isMinimal && !isSet [ "bootstrap" "isMinimal" ] then [ "isMinimal" ] else [ ];
      bootstrapOptions = record { bootstrap = record (removeAttrs bootstrap overruled); } config;

      # disko's scripts throw where no disk is defined, as on an installer image that has disko.
      hasDisks = (config.disko.devices.disk or null) != { };
      outputs = record (
        {
          toplevel = derivation;
          isoImage = derivation;
        }
        // (
          if hasDisks then
            {
              diskoScript = derivation;
              mountScript = derivation;
            }
          else
            { }
        )
      ) (config.system.build or { });

      # agenix: `secrets` are submodules, of which only the names matter.
      age = record {
        identityPaths = plain;
        secrets = secrets: if isAttrs secrets then attrNames (public secrets) else [ ];
      };

      users = config.users.users or { };
    in
    if scope == "summary" then
      {
        system = system evaluated isDefined;
        config = bootstrapOptions;
        inherit configVars;
      }
    else
      {
        system = system evaluated isDefined;
        config =
          options config
          // bootstrapOptions
          // record {
            services = record { inherit openssh; };
            inherit age sops;
          } config;
        normalUsers = filter (user: users.${user}.isNormalUser or false == true) (attrNames users);
        # Where the modules "impermanence" and "preservation" keep what must stay.
        persistence =
          attrNames (public (config.environment.persistence or { }))
          ++ attrNames (config.preservation.preserveAt or { });
        mountpoints = attrNames (config.fileSystems or { });
        args = record {
          disk = plain;
          withSwap = plain;
          swapSize = plain;
        } args;
        inherit configVars;
      }
      // (if scope == "outputs" then { inherit outputs; } else { });

  # The platform, asked first where that does not make the whole package set.
  system =
    evaluated: isDefined:
    let
      nixpkgs = evaluated.config.nixpkgs or { };
      platform = value: plain (if isAttrs value then value.system or null else value);
    in
    if isDefined [ "nixpkgs" "pkgs" ] then
      platform evaluated.pkgs.stdenv.hostPlatform
    else if isDefined [ "nixpkgs" "hostPlatform" ] then
      platform nixpkgs.hostPlatform
    else if isDefined [ "nixpkgs" "localSystem" ] then
      platform (
        if nixpkgs.crossSystem or null == null then nixpkgs.localSystem else nixpkgs.crossSystem
      )
    else if isDefined [ "nixpkgs" "system" ] then
      platform nixpkgs.system
    else
      platform (evaluated.pkgs.stdenv.hostPlatform or { });

  names = filter (name: host == null || name == host) (attrNames configurations);
in
{
  known = attrNames configurations;
  hosts = listToAttrs (
    map (name: {
      inherit name;
      # In full, so that the host's name stands beside whatever goes wrong in it.
      value = builtins.addErrorContext "while reading the facts of the host ${name}" (
        let
          value = facts configurations.${name};
        in
        builtins.deepSeq value value
      );
    }) names
  );
}
