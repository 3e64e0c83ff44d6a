# The library: name spaces, and the same names flat beside them.
let
  call = file: import file { inherit lib; };

  trivial = call ./trivial.nix;
  lists = call ./lists.nix;
  strings = call ./strings.nix;
  attrsets = call ./attrsets.nix // {
    mergeAttrs = a: b: a // b;
  };
  options = call ./options.nix;
  modules = call ./modules.nix;
  types = call ./types.nix;
  paths = call ./paths.nix;

  lib =
    trivial
    // lists
    // strings
    // attrsets
    // options
    // modules
    // {
      inherit
        attrsets
        lists
        modules
        options
        strings
        trivial
        types
        ;
      inherit (paths) filesystem path sources;
      inherit (paths.sources) cleanSource;
      inherit (types) mkOptionType;
      inherit (trivial) generators systems;
      meta = {
        inherit (attrsets) getExe getExe';
      };
      fixedPoints = { inherit (trivial) fix; };
      customisation = { inherit (trivial) makeOverridable; };
      maintainers = { };
      licenses.mit.spdxId = "MIT";
      platforms = {
        linux = trivial.systems.flakeExposed;
        all = trivial.systems.flakeExposed;
      };
    };
in
lib
