# The minimal configuration of a host, derived from the host's own.
{
  lib,
  nixpkgs,
  disko,
  modules,
}:
let
  essentials = import ./essentials.nix;
  ownModules = modules;

  # Before ordinary definitions and defaults, behind the `mkForce` of those who add modules.
  prior = lib.mkOverride 90;

  # 1500 is the priority of an option's own default.
  isSet =
    option: option._type or null == "option" && option.isDefined && option.highestPrio < 1500;

  # A module for each definition of an option, so that errors name the file that it came from. They
  # take the place of what the minimal configuration's own modules say there: NixOS's and disko's
  # modules would say the same a second time. Of several modules, the last one's definition comes first.
  keep = keepOf lib.id;
  keepOf =
    change: host: path:
    let
      option = lib.attrByPath path null host.options;
      kept = def: {
        _file = toString def.file;
        config = lib.setAttrByPath path (prior (change def.value));
      };
    in
    lib.optionals (isSet option) (map kept (lib.reverseList option.definitionsWithLocations));

  diskoFile = host: toString (lib.head (host.options.disko.devices.declarations ++ [ "" ]));
  # disko's module as the host has it: another version may name partitions differently.
  diskoOf =
    host:
    if lib.hasPrefix "/" (diskoFile host) && builtins.pathExists (diskoFile host) then
      diskoFile host
    else
      disko.nixosModules.disko;

  # The file systems of the host's own disks, and those that are mounted early. Others, such as
  # network drives, may need a secret that is not there yet.
  fileSystems =
    host:
    let
      isDisko = def: lib.hasPrefix "${dirOf (diskoFile host)}/" (toString def.file);
      byDisko = lib.filter isDisko host.options.fileSystems.definitionsWithLocations;
      isEarly =
        mountpoint: fs: fs.neededForBoot or false || lib.elem mountpoint essentials.earlyMountPoints;
      wanted =
        lib.filterAttrs isEarly host.config.fileSystems
        // lib.foldl' (all: def: all // def.value) { } byDisko;
    in
    keepOf (builtins.intersectAttrs wanted) host [ "fileSystems" ];

  configVars = host: host._module.args.configVars or host._module.specialArgs.configVars or { };

  primaryUser =
    host:
    let
      normal = lib.attrNames (lib.filterAttrs (_: user: user.isNormalUser) host.config.users.users);
    in
    if host.config.bootstrap.user or null != null then
      host.config.bootstrap.user
    else
      (configVars host).username or (if lib.length normal == 1 then lib.head normal else null);

  # Root and the primary user, with the keys that may log in. Passwords in files are secrets, and
  # not there yet; plain ones are left out.
  users =
    host:
    let
      inherit (host.config.users) users;
      primary = primaryUser host;
      login = user: {
        openssh.authorizedKeys = { inherit (user.openssh.authorizedKeys) keys keyFiles; };
        hashedPassword = lib.mkIf (user.hashedPassword or null != null) user.hashedPassword;
      };
      person =
        user:
        login user
        // {
          inherit (user) isNormalUser uid;
          extraGroups = lib.intersectLists [ "wheel" ] user.extraGroups;
        };
    in
    {
      config.users.users = {
        root = login users.root;
      }
      // lib.optionalAttrs (primary != null && primary != "root" && users ? ${primary}) {
        ${primary} = person users.${primary};
      };
    };

  # The arguments that the host's modules get, for the sake of modules that are added.
  arguments =
    host:
    let
      special = removeAttrs host._module.specialArgs [
        "lib"
        "modulesPath"
      ];
    in
    special
    // lib.optionalAttrs (special ? configVars) {
      configVars = special.configVars // {
        isMinimal = true;
      };
    };

  derived = host: {
    # The same packages, with the host's overlays and settings.
    nixpkgs.pkgs = host.pkgs;

    # Its keys for signing are made on the installed machine.
    boot.loader.systemd-boot.enable = lib.mkIf (host.config.boot.lanzaboote.enable or false) (
      lib.mkOverride 80 true
    );

    _module.args =
      builtins.intersectAttrs {
        disk = null;
        withSwap = null;
        swapSize = null;
      } host._module.args
      // lib.optionalAttrs (host._module.args ? configVars) {
        configVars = host._module.args.configVars // {
          isMinimal = true;
        };
      };
  };
in
{
  /**
    The small configuration that a machine is first installed with, derived from the host's own:
    the same disks, swap, boot loader, kernel and address, root and the primary user with their SSH
    keys, and nothing else of it. There is no second list of disks that could drift from the first.

    # Inputs

    `host`
    : The host, an element of `nixosConfigurations`. It must have disko.

    `name`
    : Its name, for error messages; by itself its `networking.hostName`.

    `modules`
    : Further modules of the minimal configuration; `[ ]`. Use `lib.mkForce` against what comes from
      the host.

    `specialArgs`
    : Further arguments for them; the host's own are there, with `configVars.isMinimal` true.

    # Example

    ```nix
    nixosConfigurations = builtins.mapAttrs (
      name: host: nixos-bootstrap.lib.mkMinimal { inherit name host; }
    ) nix-config.nixosConfigurations;
    ```

    # Type

    ```
    mkMinimal :: AttrSet -> NixOSSystem
    ```
  */
  mkMinimal =
    {
      host,
      name ? host.config.networking.hostName,
      modules ? [ ],
      specialArgs ? { },
    }:
    let
      inContext = builtins.addErrorContext "while deriving the minimal configuration of the host ${name}";
      nixosSystem = host.lib.nixosSystem or nixpkgs.lib.nixosSystem;
    in
    if !(host ? options && host ? config) then
      throw "mkMinimal: `host` must be a NixOS configuration, such as self.nixosConfigurations.${name}"
    else if inContext (!(host.options ? disko)) then
      throw "mkMinimal: the host ${name} does not use disko, so there is nothing to set up its disks with. Add inputs.disko.nixosModules.disko to its imports and declare disko.devices."
    else
      nixosSystem {
        specialArgs = inContext (arguments host) // specialArgs;
        modules = inContext (
          [
            (diskoOf host)
            ownModules.bootstrap
            ownModules.minimal
            (derived host)
            (users host)
          ]
          ++ fileSystems host
          ++ lib.concatMap (keep host) essentials.options
          ++ modules
        );
      };
}
