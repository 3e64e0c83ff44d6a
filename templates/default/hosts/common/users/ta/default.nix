# The main user, on hosts, on minimal installations and on the installer image.
{
  config,
  lib,
  pkgs,
  configVars,
  ...
}:
let
  user = configVars.username;

  # One key a line in the files of ./keys. A user's configuration can name as many as it likes.
  keys = lib.filter (line: line != "" && !lib.hasPrefix "#" line) (
    lib.concatMap (file: lib.splitString "\n" (builtins.readFile file)) (
      lib.filesystem.listFilesRecursive ./keys
    )
  );

  # Not needed for an installation, so left out of it.
  fullUserConfig = lib.optionalAttrs (!configVars.isMinimal) {
    users.users.${user}.packages = [
      pkgs.htop
      pkgs.tmux
    ];
  };
in
{
  config = lib.mkMerge [
    fullUserConfig
    {
      users.users.${user} = {
        isNormalUser = true;
        extraGroups = [ "wheel" ];
        openssh.authorizedKeys.keys = keys;
      };

      # The bootstrap logs in as root with the same keys.
      users.users.root.openssh.authorizedKeys.keys =
        config.users.users.${user}.openssh.authorizedKeys.keys;

      # There is no password, hence none to ask for: whoever has the key may be root. Remove this
      # once the user has one, for instance as
      #   users.users.${user}.hashedPassword = "…";   # from: mkpasswd -s
      security.sudo.wheelNeedsPassword = lib.mkDefault false;

      warnings = lib.optional (keys == [ ]) ''
        There is no SSH key in hosts/common/users/${user}/keys, so nobody can log in to
        ${config.networking.hostName} over the network. Put your public key there.'';
    }
  ];
}
