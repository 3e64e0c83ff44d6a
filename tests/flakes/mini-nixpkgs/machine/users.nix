# The users and groups of a host as tables for activate.
{ util, config }:
let
  inherit (builtins) concatStringsSep map;
  inherit (util) get pairs;

  shellOf =
    value:
    let
      shell = get value [ "shell" ] null;
      isPackage = builtins.isAttrs shell;
    in
    if shell == null then
      if get value [ "isNormalUser" ] false || value.name == "root" then
        "/run/current-system/sw/bin/bash"
      else
        "/run/current-system/sw/sbin/nologin"
    else if isPackage then
      "${shell}${shell.shellPath or "/bin/${shell.pname or "bash"}"}"
    else
      toString shell;

  # How the password is given and what it is; the hash of a plain one is made on the machine.
  password =
    value:
    if get value [ "hashedPasswordFile" ] null != null then
      [ "file" (toString value.hashedPasswordFile) ]
    else if get value [ "hashedPassword" ] null != null then
      [ "hash" value.hashedPassword ]
    else if get value [ "password" ] null != null then
      [ "plain" value.password ]
    else if get value [ "initialHashedPassword" ] null != null then
      [ "initial-hash" value.initialHashedPassword ]
    else if get value [ "initialPassword" ] null != null then
      [ "initial-plain" value.initialPassword ]
    else
      [ "none" "-" ];

  declared = get config [ "users" "users" ] { };
  withRoot = {
    root = { };
  } // declared;

  user =
    { name, value }:
    let
      it = value // {
        inherit name;
      };
      isRoot = name == "root";
      normal = get value [ "isNormalUser" ] false;
      group = get value [ "group" ] "";
      home = get value [ "home" ] "";
    in
    [
      name
      (if isRoot then 0 else get value [ "uid" ] "-")
      (
        if isRoot then
          "root"
        else if group != "" then
          group
        else if normal then
          "users"
        else
          "nogroup"
      )
      (
        if isRoot then
          "/root"
        else if home != "" && home != "/var/empty" then
          home
        else if normal then
          "/home/${name}"
        else
          "/var/empty"
      )
      (shellOf it)
      (get value [ "description" ] "-")
      (if get value [ "createHome" ] normal || normal then "yes" else "no")
      (concatStringsSep "," (get value [ "extraGroups" ] [ ]))
    ]
    ++ password value
    ++ [ (if normal || isRoot then "normal" else "system") ];
in
{
  users = map user (pairs withRoot);
  groups = map (
    { name, value }:
    [
      name
      (get value [ "gid" ] "-")
      (concatStringsSep "," (get value [ "members" ] [ ]))
    ]
  ) (pairs (get config [ "users" "groups" ] { }));
}
