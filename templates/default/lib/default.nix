{ lib, ... }:
{
  # relativeToRoot "hosts/common/core": a path from the top of this repository, so that a module
  # can be moved without touching its imports.
  relativeToRoot = lib.path.append ../.;

  # All modules of a folder: its .nix files and its folders, but not the default.nix that asks.
  scanPaths =
    folder:
    map (name: folder + "/${name}") (
      builtins.attrNames (
        lib.filterAttrs (
          name: type: type == "directory" || (name != "default.nix" && lib.hasSuffix ".nix" name)
        ) (builtins.readDir folder)
      )
    );
}
