# Decrypts the host's secrets with its SSH key at each activation, into /run/secrets.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.sops;

  programs = derivation {
    name = "sops-programs";
    inherit (pkgs.stdenv.hostPlatform) system;
    builder = "/bin/sh";
    args = [
      "-c"
      "echo 'sops and ssh-to-age are not in the store: run tests/vm/nix-secrets' >&2; exit 1"
    ];
    outputHashMode = "recursive";
    outputHashAlgo = "sha256";
    outputHash = (builtins.fromJSON (builtins.readFile ./programs.json)).hash;
  };

  secret =
    { name, config, ... }:
    {
      options = {
        key = mkOption {
          type = types.str;
          default = name;
          description = "Where it is in the file, its parts with slashes between them.";
        };
        sopsFile = mkOption {
          type = types.path;
          default = cfg.defaultSopsFile;
          description = "The file that it is in.";
        };
        path = mkOption {
          type = types.str;
          default = "/run/secrets/${name}";
          description = "Where it is on the host.";
        };
        mode = mkOption {
          type = types.str;
          default = "0400";
          description = "Its file's mode.";
        };
      };
    };

  # The name of a key as `sops decrypt --extract` wants it.
  index = key: lib.concatMapStringsSep "" (part: "[\"${part}\"]") (lib.splitString "/" key);

  decrypt = name: one: ''
    mkdir -p "$(dirname -- "$new/${name}")"
    sops decrypt --extract '${index one.key}' '${one.sopsFile}' >"$new/${name}"
    chmod ${one.mode} "$new/${name}"
  '';
in
{
  options.sops = {
    defaultSopsFile = mkOption {
      type = types.path;
      description = "The file of secrets that name none.";
    };
    age.sshKeyPaths = mkOption {
      type = types.listOf types.path;
      default = [ ];
      description = "The host's SSH keys that decrypt.";
    };
    secrets = mkOption {
      type = types.attrsOf (types.submodule secret);
      default = { };
      description = "The secrets, by their names below /run/secrets.";
    };
  };

  config.system.activationScripts.setupSecrets = lib.mkIf (cfg.secrets != { }) ''
    set -eu
    umask 077
    PATH=${programs}/bin:$PATH
    keys=$(mktemp -d /run/sops-keys.XXXXXX)
    trap 'rm -rf "$keys"' EXIT
    for key in ${lib.concatStringsSep " " (map toString cfg.age.sshKeyPaths)}; do
      ssh-to-age -private-key -i "$key" >>"$keys/keys.txt"
    done
    export HOME=/root SOPS_DISABLE_VERSION_CHECK=1 SOPS_AGE_KEY_FILE=$keys/keys.txt
    new=/run/secrets.new
    rm -rf "$new"
    mkdir -m 0751 "$new"
    ${lib.concatStringsSep "" (lib.mapAttrsToList decrypt cfg.secrets)}
    rm -rf /run/secrets
    mv -T "$new" /run/secrets
  '';
}
