# Files and paths.
{ lib }:
let
  # A path that can't lead out of where it starts.
  isSubpath =
    s:
    builtins.isString s
    && s != ""
    && !lib.hasPrefix "/" s
    && !builtins.elem ".." (lib.splitString "/" s);
in
{
  path = {
    # Unlike `+`, refuses what would leave the directory.
    append =
      base: sub:
      if !builtins.isPath base then
        throw "lib.path.append: the first argument is a ${builtins.typeOf base}, but a path was expected"
      else if !builtins.isString sub then
        throw "lib.path.append: the second argument is a ${builtins.typeOf sub}, but a string was expected"
      else if !isSubpath sub then
        throw "lib.path.append: the second argument is not a valid subpath string: ${lib.escapeNixString sub}"
      else
        base + ("/" + sub);
    hasPrefix = base: p: lib.hasPrefix "${toString base}/" "${toString p}/";
    removePrefix = base: p: "." + lib.removePrefix (toString base) (toString p);
    subpath.isValid = isSubpath;
  };

  filesystem = rec {
    pathType = builtins.readFileType;
    pathIsDirectory = p: builtins.pathExists p && pathType p == "directory";
    pathIsRegularFile = p: builtins.pathExists p && pathType p == "regular";
    listFilesRecursive =
      dir:
      lib.flatten (
        lib.mapAttrsToList (
          name: type: if type == "directory" then listFilesRecursive (dir + "/${name}") else dir + "/${name}"
        ) (builtins.readDir dir)
      );
  };

  sources = {
    cleanSource = src: src;
    sourceByRegex =
      src: patterns:
      builtins.path {
        path = src;
        name = "source";
        filter =
          p: _:
          builtins.any (
            pattern: builtins.match pattern (lib.removePrefix "${toString src}/" p) != null
          ) patterns;
      };
  };
}
