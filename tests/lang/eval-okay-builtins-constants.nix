with builtins; {
  langVersion = langVersion;
  storeDir = storeDir;
  nixVersion = compareVersions nixVersion "2.18" >= 0;
  currentTime = isInt currentTime && currentTime > 1700000000;
  currentSystem = isString currentSystem;
  nixPath = isList nixPath;
}
