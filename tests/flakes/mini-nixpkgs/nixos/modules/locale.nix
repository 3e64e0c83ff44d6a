{ lib, ... }:
let
  inherit (lib) mkEnableOption mkOption types;
in
{
  options = {
    time = {
      timeZone = mkOption {
        type = types.nullOr (types.strMatching "[^ ]+");
        default = null;
        example = "Europe/Berlin";
        description = "The time zone; null may be changed at run time.";
      };
      hardwareClockInLocalTime = mkEnableOption "a hardware clock in local time";
    };
    i18n = {
      defaultLocale = mkOption {
        type = types.str;
        default = "en_US.UTF-8";
        description = "The locale.";
      };
      extraLocaleSettings = mkOption {
        type = types.attrsOf types.str;
        default = { };
        description = "LC_* variables that differ from the locale.";
      };
      supportedLocales = mkOption {
        type = types.listOf types.str;
        default = [ "all" ];
        description = "Locales to make.";
      };
    };
    console = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether there are virtual consoles.";
      };
      keyMap = mkOption {
        type = types.either types.str types.path;
        default = "us";
        description = "The keyboard of the consoles.";
      };
      font = mkOption {
        type = types.nullOr (types.either types.str types.path);
        default = null;
        description = "The font of the consoles.";
      };
      useXkbConfig = mkEnableOption "the graphical session's keyboard on the consoles";
      earlySetup = mkEnableOption "the console's font and keyboard from the start";
    };
  };
}
