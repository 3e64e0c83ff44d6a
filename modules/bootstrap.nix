# The options that nixos-bootstrap reads from a host. All have a default: a host that sets none of
# them can be installed.
{
  config,
  lib,
  options,
  ...
}@args:
let
  inherit (lib) mkOption types;
  values = import ./values.nix { inherit lib; };
  configVars = values.configVars args;
  cfg = config.bootstrap;

  optional =
    type: description: attrs:
    mkOption (
      {
        type = types.nullOr type;
        default = null;
        inherit description;
      }
      // attrs
    );
in
{
  options.bootstrap = {
    target = {
      host = optional values.types.address ''
        Where the machine is reached while it runs the installer. `--target` on the command line
        goes before it; without either, the tool asks.
      '' { example = "192.0.2.10"; };
      port = optional values.types.port ''
        Port of the installer's SSH server; 22 where this is null. A port other than 22 is also
        used for the installed machine.
      '' { example = 2222; };
      user = optional values.types.userName ''
        Who logs in at the installer; root where this is null. Anybody else needs `sudo` without a
        password.
      '' { example = "nixos"; };
      identityFile = optional values.types.outsideOfStore ''
        The private SSH key to log in with, as text: a file of the machine that the tool runs on.
        `~/` is the home of whoever runs it. Where this is null, ssh looks for its usual keys and
        asks the agent.
      '' { example = "~/.ssh/id_ed25519"; };
    };

    isMinimal = mkOption {
      type = types.bool;
      default = configVars.isMinimal or false;
      defaultText = lib.literalExpression "configVars.isMinimal or false";
      description = ''
        Whether this is only the small configuration that a machine is first installed with. Modules
        ask it to leave out what a first installation can do without, secrets above all.

        Where several places disagree, this option goes first, if any module sets it; then
        `configVars.isMinimal` of `_module.args`; then `configVars.isMinimal` of the special
        arguments. Two modules that set the option to different values are an error, unless one
        of them uses `lib.mkForce` or `lib.mkDefault`.
      '';
    };

    persistDir = optional values.types.absolutePath ''
      A directory that outlives a restart where the root file system does not (impermanence). The
      host's SSH keys are put below it, too.
    '' { example = "/persist"; };

    user = optional values.types.userName ''
      The primary user, who gets the repositories on the new machine. Where this is null, the tool
      takes `configVars.username`, or the only normal user that there is.
    '' { example = "ta"; };

    nixConfig.path = optional values.types.line ''
      Where the repository with the configuration goes on the new machine. A relative path, and one
      that begins with `~/`, starts at the primary user's home; null means `nix-config`.
    '' { example = "~/src/nix-config"; };

    secrets = {
      repo = optional values.types.outsideOfStore ''
        The repository with the secrets, on the machine that the tool runs on, as text. A relative
        path starts at the flake. Where this is null, the tool looks for `nix-secrets` beside the
        flake.
      '' { example = "../nix-secrets"; };
      file = optional values.types.fileInFlake ''
        The secrets file that keys made by the tool are kept in, relative to the secrets
        repository.
      '' { example = "secrets.yaml"; };
      ageKeyPath = optional values.types.absolutePath ''
        Where the primary user's age key is on the new machine.
      '' { example = "/home/ta/.config/sops/age/keys.txt"; };
      hostKeyPath = optional values.types.line ''
        Where in the secrets file a copy of the host's SSH keys is, each below the name of its kind
        (`ed25519`, `rsa`), for `--reuse-host-key=secrets`. Where this is null, it is
        `ssh_host_keys/HOST`.
      '' { example = "hosts/grief/ssh"; };
    };

    hardware = {
      generator =
        optional
          (types.enum [
            "nixos-generate-config"
            "nixos-facter"
          ])
          ''
            The program that describes the machine's hardware. Where this is null, `nixos-facter` if
            the hardware file ends in `.json`, else `nixos-generate-config`.
          ''
          { example = "nixos-facter"; };
      file = optional values.types.fileInFlake ''
        The hardware file that the tool writes, in the flake. Where this is null,
        `hosts/HOST/hardware-configuration.nix` or `hosts/HOST/facter.json`, if there is a folder
        `hosts/HOST`.
      '' { example = "machines/grief/hardware.nix"; };
    };

    rebuild.command = optional values.types.line ''
      The command that brings the full configuration, run on the new machine in its copy of the
      repository. Where this is null, the tool builds the full configuration here and copies it.
      Where the secrets of this run are not pushed yet, the command finds the flags that let the
      flake take them in the variable `NIXOS_BOOTSTRAP_OVERRIDE`.
    '' { example = "just rebuild"; };
  };

  config = {
    assertions = [
      {
        assertion = cfg.user == null || cfg.user == "root" || config.users.users ? ${cfg.user};
        message = ''
          bootstrap.user is "${toString cfg.user}", but this configuration has no such user. Add
          users.users.${toString cfg.user}, or name another user.'';
      }
      {
        assertion =
          cfg.hardware.generator == null
          || cfg.hardware.file == null
          || (cfg.hardware.generator == "nixos-facter")
          == lib.hasSuffix ".json" (toString cfg.hardware.file);
        message = ''
          bootstrap.hardware.generator is "${toString cfg.hardware.generator}", but bootstrap.hardware.file is
          "${toString cfg.hardware.file}": nixos-facter writes a .json file, nixos-generate-config a .nix file.'';
      }
    ]
    ++ lib.optional (options ? disko) (
      let
        disks = config.disko.devices.disk or { };
        byDevice = builtins.groupBy (name: disks.${name}.device) (lib.attrNames disks);
        twice = lib.filterAttrs (_: names: lib.length names > 1) byDevice;
      in
      {
        assertion = twice == { };
        message = "The same disk is used more than once: ${
          lib.concatStringsSep "; " (
            lib.mapAttrsToList (
              device: names:
              "${device} by ${lib.concatMapStringsSep " and " (name: "disko.devices.disk.${name}") names}"
            ) twice
          )
        }. Give each its own device.";
      }
    );

    warnings = lib.optional (
      cfg.persistDir != null
      && !lib.any (
        mountpoint: mountpoint != "/" && lib.hasPrefix "${mountpoint}/" "${cfg.persistDir}/"
      ) (lib.attrNames config.fileSystems)
    ) "bootstrap.persistDir is ${toString cfg.persistDir}, but no file system besides / is mounted there.";
  };
}
