# Paths of a repository and the modules in its folders.
{ lib }:
{
  /**
    All modules of a folder: its `.nix` files and its folders, but not the `default.nix` that asks.
    Folders are not looked into: each needs a `default.nix` of its own.

    # Example

    ```nix
    { imports = nixos-bootstrap.lib.scanPaths ./.; }
    ```

    # Type

    ```
    scanPaths :: Path -> [ Path ]
    ```
  */
  scanPaths =
    folder:
    let
      isModule = name: type: type == "directory" || (name != "default.nix" && lib.hasSuffix ".nix" name);
    in
    if !builtins.pathExists folder then
      throw "scanPaths: there is no folder ${toString folder}"
    else
      map (name: folder + "/${name}") (
        builtins.attrNames (lib.filterAttrs isModule (builtins.readDir folder))
      );

  /**
    A path from the top of the repository, so that modules can be moved without touching their
    imports. The first argument is the top, `./.` in the repository's `flake.nix`.

    # Example

    ```nix
    relativeToRoot = nixos-bootstrap.lib.relativeToRoot ./.;
    # relativeToRoot "hosts/common/core"
    ```

    # Type

    ```
    relativeToRoot :: Path -> String -> Path
    ```
  */
  relativeToRoot =
    root: sub:
    if !builtins.isString sub then
      throw "relativeToRoot: the path must be text such as \"hosts/common/core\", but it is a ${builtins.typeOf sub}"
    else if sub == "" || lib.hasPrefix "/" sub || lib.elem ".." (lib.splitString "/" sub) then
      throw "relativeToRoot: ${lib.strings.escapeNixString sub} does not start at the top of the repository, or leads out of it"
    else
      root + "/${sub}";
}
