# The variables that many modules need.
{ lib }:
{
  /**
    The variables that modules get as the argument `configVars`: those that are given, and defaults
    for those that nixos-bootstrap reads.

    # Inputs

    `username`
    : The primary user; has no default.

    `persistFolder`
    : What outlives a restart where the root does not; `/persist`.

    `isMinimal`
    : Whether this is for the small first installation; false. `mkMinimal` sets it.

    Any other names are passed on as they are.

    # Example

    ```nix
    configVars = nixos-bootstrap.lib.mkVars { username = "ta"; gitEmail = "ta@example.org"; };
    ```

    # Type

    ```
    mkVars :: AttrSet -> AttrSet
    ```
  */
  mkVars =
    vars:
    let
      all = {
        username = throw "mkVars: username is missing: name the primary user, such as mkVars { username = \"ta\"; }";
        persistFolder = "/persist";
        isMinimal = false;
      }
      // vars;
      problem =
        if vars ? username && builtins.match "[A-Za-z_][A-Za-z0-9_.-]{0,31}" (text vars.username) == null then
          "username is ${shown vars.username}, but it must be a user name such as \"ta\""
        else if !lib.hasPrefix "/" (text all.persistFolder) then
          "persistFolder is ${shown all.persistFolder}, but it must be an absolute path such as \"/persist\""
        else if !builtins.isBool all.isMinimal then
          "isMinimal is ${shown all.isMinimal}, but it must be true or false"
        else
          null;
      text = value: if builtins.isString value then value else "";
      shown = lib.generators.toPretty { };
    in
    if problem == null then all else throw "mkVars: ${problem}";
}
