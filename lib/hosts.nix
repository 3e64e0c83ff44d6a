# Hosts from a folder, and the installer image.
{
  lib,
  nixpkgs,
  paths,
  modules,
  systems,
}:
let
  inherit (paths) relativeToRoot scanPaths;
  # The functions below have arguments of these names.
  ownNixpkgs = nixpkgs;
  ownModules = modules;
in
{
  /**
    A NixOS configuration for every folder of `hosts/`: a new folder is a new host. Each gets
    nixos-bootstrap's options, and as its name the folder's.

    # Inputs

    `inputs`
    : The flake's inputs. Modules get them as `inputs`.

    `root`
    : The top of the repository, `./.`.

    `vars`
    : What modules get as `configVars`, see `mkVars`; `{ }`.

    `folder`
    : Where the hosts are; `"hosts"`.

    `shared`
    : Folders that are no hosts; `[ "common" ]`.

    `modules`
    : Modules that every host has; `[ ]`.

    `specialArgs`
    : Further arguments for the modules; `{ }`. By themselves they get `inputs`, `outputs` (those of
      `inputs.self`), `configVars` and `configLib` (with `scanPaths`, and `relativeToRoot` bound to
      `root`), in `imports`, too.

    `nixpkgs`
    : The nixpkgs that evaluates the hosts; `inputs.nixpkgs`.

    # Example

    ```nix
    nixosConfigurations = nixos-bootstrap.lib.mkHosts {
      inherit inputs;
      root = ./.;
      vars = nixos-bootstrap.lib.mkVars { username = "ta"; };
    };
    ```

    # Type

    ```
    mkHosts :: AttrSet -> { ${host} :: NixOSSystem }
    ```
  */
  mkHosts =
    {
      inputs,
      root,
      vars ? { },
      folder ? "hosts",
      shared ? [ "common" ],
      modules ? [ ],
      specialArgs ? { },
      nixpkgs ? inputs.nixpkgs,
    }:
    let
      hosts = relativeToRoot root folder;
      isHost = name: type: type == "directory" && !lib.elem name shared;
      names = builtins.attrNames (lib.filterAttrs isHost (builtins.readDir hosts));
      host =
        name:
        if builtins.match "[A-Za-z0-9_][A-Za-z0-9_.-]*" name == null then
          throw "mkHosts: ${folder}/${name} can't be a host: a name may only have letters, digits, `-`, `_` and `.`"
        else if !builtins.pathExists (hosts + "/${name}/default.nix") then
          throw "mkHosts: there is no ${folder}/${name}/default.nix; every folder of ${folder} is a host but ${lib.concatStringsSep ", " shared} (is the file known to git?)"
        else
          nixpkgs.lib.nixosSystem {
            specialArgs = {
              inherit inputs;
              outputs = inputs.self.outputs or { };
              configVars = vars;
              configLib = {
                inherit scanPaths;
                relativeToRoot = relativeToRoot root;
              };
            }
            // specialArgs;
            modules = [
              (hosts + "/${name}")
              ownModules.default
              { networking.hostName = lib.mkDefault name; }
            ]
            ++ modules;
          };
    in
    if !builtins.pathExists hosts then
      throw "mkHosts: there is no folder ${folder} in ${toString root} (is it known to git?)"
    else
      lib.genAttrs names host;

  /**
    The installer image, as a NixOS configuration: `config.system.build.isoImage` is the image. It
    can be reached by SSH at once with the keys of the hosts, and has what their disks need.

    # Inputs

    `hosts`
    : The NixOS configurations that the image is for, such as `self.nixosConfigurations`: it knows the
      file systems that their disks have and that they mount, and root's SSH keys of all of them may log
      in (where root has none, those of the users in `wheel`); `{ }`.

    `keys`
    : Further public SSH keys that may log in as root; `[ ]`.

    `modules`, `specialArgs`
    : Further modules of the image and arguments for them.

    `system`
    : The platform; `"x86_64-linux"`.

    `nixpkgs`
    : The nixpkgs that makes the image; by itself that of nixos-bootstrap.

    # Example

    ```nix
    iso = nixos-bootstrap.lib.mkIso { hosts = self.nixosConfigurations; };
    ```

    # Type

    ```
    mkIso :: AttrSet -> NixOSSystem
    ```
  */
  mkIso =
    {
      keys ? [ ],
      hosts ? { },
      modules ? [ ],
      specialArgs ? { },
      system ? "x86_64-linux",
      nixpkgs ? ownNixpkgs,
    }:
    let
      used = lib.concatMap (import ./filesystems.nix { inherit lib; }) (builtins.attrValues hosts);
      # Who may become root on a host may do so in its installer.
      accounts =
        host:
        let
          users = host.config.users.users or { };
          isAdmin = user: lib.elem "wheel" (user.extraGroups or [ ]);
          hasKeys = user: (keysOf user).keys != [ ] || (keysOf user).keyFiles != [ ];
          root = users.root or { };
        in
        if hasKeys root then [ root ] else lib.filter isAdmin (builtins.attrValues users);
      keysOf = user: { keys = [ ]; keyFiles = [ ]; } // user.openssh.authorizedKeys or { };
      known = map keysOf (lib.concatMap accounts (builtins.attrValues hosts));
    in
    if !lib.elem system systems then
      throw "mkIso: there is no installer image for ${system}; it can be ${lib.concatStringsSep " or " systems}"
    else
      nixpkgs.lib.nixosSystem {
        inherit specialArgs;
        modules = [
          ownModules.iso
          {
            nixpkgs.hostPlatform = system;
            users.users.root.openssh.authorizedKeys.keyFiles = lib.unique (
              lib.concatMap (k: k.keyFiles) known
            );
            bootstrap.iso = {
              keys = lib.unique (lib.concatMap (k: k.keys) known ++ keys);
              filesystems = lib.mkIf (hosts != { }) (
                lib.unique ([ "vfat" ] ++ used)
              );
            };
          }
        ]
        ++ modules;
      };
}
