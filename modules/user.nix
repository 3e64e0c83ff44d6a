# The primary user and root: who may log in, with which keys. Used by full configurations, minimal
# ones and the installer image; what a first installation can do without is left out of the latter
# two (`bootstrap.isMinimal`).
{
  config,
  lib,
  options,
  ...
}@args:
let
  inherit (lib) mkOption types;
  values = import ./values.nix { inherit lib; };
  cfg = config.bootstrap.account;
  inherit (config.bootstrap) isMinimal;

  user =
    if config.bootstrap.user != null then
      config.bootstrap.user
    else
      (values.configVars args).username
        or (throw "bootstrap.user is not set: it must be the name of the primary user, such as \"ta\".");

  # Only existing groups: naming others would be silently ignored.
  existing = lib.filter (group: config.users.groups ? ${group});

  # One key a line. Comments and empty lines are skipped; what is no public key is refused, since
  # all that is read here ends up in the store, where everybody can read it.
  keysOf =
    file:
    let
      text = builtins.readFile file;
      keys = lib.filter (line: builtins.match "[[:space:]]*(#.*)?" line == null) (
        lib.splitString "\n" text
      );
      isKey = line: builtins.match "(.+ )?(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+ AAAA[A-Za-z0-9+/]+=*( .*)?" line != null;
    in
    if lib.hasInfix "PRIVATE KEY" text then
      throw "${toString file} is a private SSH key. Take it out of bootstrap.account.keysDir, and if it was ever evaluated or pushed from there, make a new one; public keys end in .pub."
    else
      map (
        line:
        if isKey line then
          line
        else
          throw "${toString file} has a line that is no public SSH key: ${lib.strings.escapeNixString (builtins.substring 0 60 line)}"
      ) keys;
  keys = cfg.keys ++ lib.optionals (cfg.keysDir != null) (
    lib.concatMap keysOf (lib.filesystem.listFilesRecursive cfg.keysDir)
  );

  hasPassword = !isMinimal && cfg.hashedPasswordFile != null;
in
{
  imports = [ ./bootstrap.nix ];

  options.bootstrap.account = {
    keysDir = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = lib.literalExpression "./keys";
      description = ''
        A folder with public SSH keys, one a line; lines that begin with `#` are skipped. Whoever
        has one of the private keys may log in as the primary user and as root.
      '';
    };
    keys = mkOption {
      type = types.listOf types.singleLineStr;
      default = [ ];
      example = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI… ta@laptop" ];
      description = "Public SSH keys besides those of `keysDir`.";
    };
    extraGroups = mkOption {
      type = types.listOf types.str;
      default = [
        "audio"
        "video"
        "docker"
        "git"
        "networkmanager"
      ];
      description = "Groups of the primary user besides `wheel`. Those that do not exist are left out.";
    };
    shell = mkOption {
      type = types.nullOr (types.either types.shellPackage types.path);
      default = null;
      example = lib.literalExpression "pkgs.zsh";
      description = ''
        The login shell of the full configuration; null leaves it to NixOS. Enable the shell's own
        module, too, such as `programs.zsh.enable`.
      '';
    };
    hashedPasswordFile = mkOption {
      type = types.nullOr values.types.outsideOfStore;
      default = null;
      example = lib.literalExpression ''config.sops.secrets."ta/password".path'';
      description = ''
        A file on the machine with the hash of the password of the primary user and of root. Only
        the full configuration has it. Without one there is no password: log in with a key.
      '';
    };
    homeManager = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = lib.literalExpression "./home.nix";
      description = ''
        The primary user's configuration for home-manager, whose NixOS module must be imported. Only
        the full configuration has it.
      '';
    };
  };

  config = lib.mkMerge [
    {
      users.users.${user} = {
        isNormalUser = true;
        extraGroups = [ "wheel" ] ++ existing cfg.extraGroups;
        openssh.authorizedKeys.keys = keys;
        shell = lib.mkIf (!isMinimal && cfg.shell != null) cfg.shell;
        hashedPasswordFile = lib.mkIf hasPassword cfg.hashedPasswordFile;
      };
      users.users.root = {
        # The tool logs in as root with the same keys.
        openssh.authorizedKeys.keys = keys;
        hashedPasswordFile = lib.mkIf hasPassword cfg.hashedPasswordFile;
      };
      users.mutableUsers = lib.mkIf hasPassword (lib.mkDefault false);

      # Where there is no password, there is none to ask for: whoever has the key may be root anyway.
      security.sudo.wheelNeedsPassword = lib.mkIf (!hasPassword) (lib.mkDefault false);

      warnings = lib.optional (keys == [ ]) ''
        There is no SSH key for ${user} and root, so nobody can log in over the network. Put a
        public key into the folder of bootstrap.account.keysDir, or into bootstrap.account.keys.'';

      assertions = [
        {
          assertion = cfg.homeManager == null || isMinimal || options ? home-manager;
          message = ''
            bootstrap.account.homeManager is set, but home-manager's module is not imported: add
            inputs.home-manager.nixosModules.home-manager to the imports of this host.'';
        }
      ];
    }
    (lib.optionalAttrs (options ? home-manager) {
      home-manager.users = lib.mkIf (!isMinimal && cfg.homeManager != null) {
        ${user} = import cfg.homeManager;
      };
    })
  ];
}
