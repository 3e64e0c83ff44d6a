# Small things that the hosts share.
{
  derivation =
    name:
    derivation {
      inherit name;
      system = "x86_64-linux";
      builder = "/bin/sh";
    };

  # disko puts such attributes into every device and content.
  inner = {
    _meta = dev: { };
    _create = throw "read disko's _create";
    _parent = throw "read disko's _parent";
    _index = 1;
    preCreateHook = throw "read a hook that nobody asked for";
    type' = throw "read an unknown attribute";
  };

  platform = {
    nixpkgs.hostPlatform.system = "x86_64-linux";
  };
}
