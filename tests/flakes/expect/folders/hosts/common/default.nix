{ configLib, ... }: { imports = configLib.scanPaths ./.; }
