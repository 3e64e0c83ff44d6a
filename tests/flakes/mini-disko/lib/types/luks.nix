{
  config,
  device,
  diskoLib,
  lib,
  parent,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (diskoLib) quote;
  inherit (config) content settings;
  has = content != null;

  # Where the key comes from decides how cryptsetup is called. A password goes through a pipe:
  # it must not be seen in the list of processes.
  rawKeyFile = settings.keyFile or (if config.passwordFile == null then config.keyFile else null);
  feed =
    if config.passwordFile != null && !(settings ? keyFile) then
      "password_in ${quote config.passwordFile} | "
    else if rawKeyFile == null then
      "printf '%s' \"$password\" | "
    else
      "";
  keyArgs = lib.concatStringsSep " " (
    [ "--key-file ${if feed == "" then quote rawKeyFile else "-"}" ]
    ++ lib.optional (settings ? keyFileSize) "--keyfile-size ${toString settings.keyFileSize}"
    ++ lib.optional (settings ? keyFileOffset) "--keyfile-offset ${toString settings.keyFileOffset}"
  );
  # The check is by itself, since a pipe's first command may fail unnoticed.
  needKey =
    if rawKeyFile != null && feed == "" then
      "[ -r ${quote rawKeyFile} ] || fail ${quote "the key file ${rawKeyFile} is missing"}"
    else if config.passwordFile != null then
      "[ -r ${quote config.passwordFile} ] || fail ${quote "the password file ${config.passwordFile} is missing"}"
    else
      "[ -n \"\${password-}\" ] || ask_password ${quote config.device}";

  open = lib.concatStringsSep " " (
    [ "${feed}cryptsetup open --type luks ${keyArgs}" ]
    ++ lib.optional (settings.allowDiscards or false) "--allow-discards"
    ++ lib.optional (settings.bypassWorkqueues or false
    ) "--perf-no_read_workqueue --perf-no_write_workqueue"
    ++ config.extraOpenArgs
    ++ [
      (quote config.device)
      (quote config.name)
    ]
  );
  openUnlessOpen = ''
    if ! cryptsetup status ${quote config.name} >/dev/null 2>&1; then
      ${needKey}
      say "opening ${config.device} as ${config.name}"
      ${open}
    fi
  '';
in
{
  options = {
    type = mkOption {
      type = types.enum [ "luks" ];
      internal = true;
      description = "Encryption.";
    };
    device = mkOption {
      type = types.str;
      default = device;
      description = "The device to encrypt.";
    };
    name = mkOption {
      type = types.str;
      description = "Name of the opened device below /dev/mapper.";
    };
    settings = mkOption {
      type = types.attrsOf types.anything;
      default = { };
      example = {
        allowDiscards = true;
      };
      description = "Settings of boot.initrd.luks.devices.<name>.";
    };
    passwordFile = mkOption {
      type = types.nullOr diskoLib.absolutePath;
      default = null;
      description = "File with the password, on the installer; its last newline does not count.";
    };
    keyFile = mkOption {
      type = types.nullOr diskoLib.absolutePath;
      default = null;
      description = "Older name of settings.keyFile.";
    };
    askPassword = mkOption {
      type = types.bool;
      default = config.keyFile == null && config.passwordFile == null && !(settings ? keyFile);
      description = "Whether to ask for the password.";
    };
    additionalKeyFiles = mkOption {
      type = types.listOf diskoLib.absolutePath;
      default = [ ];
      description = "Files with further keys.";
    };
    initrdUnlock = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the initial RAM disk opens it.";
    };
    extraFormatArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "--pbkdf argon2id" ];
      description = "Arguments of cryptsetup luksFormat.";
    };
    extraOpenArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Arguments of cryptsetup open.";
    };
    content = diskoLib.deviceContent {
      parent = config;
      device = "/dev/mapper/${config.name}";
    };
    _parent = diskoLib.internal parent;
    _meta = diskoLib.internal (dev: if has then content._meta dev else { });
    _create = diskoLib.createOption config ''
      if ! cryptsetup isLuks ${quote config.device}; then
        ${needKey}
        say "encrypting ${config.device}"
        ${feed}cryptsetup --batch-mode luksFormat --type luks2 ${toString config.extraFormatArgs} ${keyArgs} ${quote config.device}
        ${lib.concatMapStringsSep "\n" (
          file: "${feed}cryptsetup --batch-mode luksAddKey ${keyArgs} ${quote config.device} ${quote file}"
        ) config.additionalKeyFiles}
      fi
      ${openUnlessOpen}
      ${lib.optionalString has content._create}
    '';
    _mount = diskoLib.mountOption config {
      dev = openUnlessOpen + lib.optionalString has (content._mount.dev or "");
      fs = if has then content._mount.fs or { } else { };
    };
    _unmount = diskoLib.unmountOption config {
      dev = ''
        ${lib.optionalString has (content._unmount.dev or "")}
        if cryptsetup status ${quote config.name} >/dev/null 2>&1; then
          cryptsetup close ${quote config.name}
        fi
      '';
      fs = if has then content._unmount.fs or { } else { };
    };
    _config = diskoLib.internal (
      lib.optional config.initrdUnlock {
        boot.initrd.luks.devices.${config.name} = {
          inherit (config) device;
        }
        // settings;
      }
      ++ lib.optional has content._config
    );
    _pkgs = diskoLib.internal (pkgs: [ pkgs.cryptsetup ] ++ lib.optionals has (content._pkgs pkgs));
    _unsupported = diskoLib.internal (lib.optionals has content._unsupported);
  };
}
