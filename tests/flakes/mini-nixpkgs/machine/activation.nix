# system.activationScripts as one bash script: each snippet after those that it depends on.
{ util, config }:
let
  inherit (builtins)
    attrNames
    concatStringsSep
    elem
    foldl'
    isAttrs
    map
    ;
  inherit (util) get;

  scripts = get config [ "system" "activationScripts" ] { };
  textOf = name: if isAttrs scripts.${name} then get scripts.${name} [ "text" ] "" else scripts.${name};
  # Names that NixOS gives to what activate itself does are no snippets here: they come before all.
  depsOf =
    name:
    builtins.filter (dependency: scripts ? ${dependency}) (
      if isAttrs scripts.${name} then get scripts.${name} [ "deps" ] [ ] else [ ]
    );

  # visit done open name: `done` and, after what it depends on, `name`.
  visit =
    open: done: name:
    if elem name done then
      done
    else if elem name open then
      throw "system.activationScripts: ${concatStringsSep " -> " (open ++ [ name ])} is a circle"
    else
      foldl' (visit (open ++ [ name ])) done (depsOf name) ++ [ name ];

  order = foldl' (visit [ ]) [ ] (attrNames scripts);
in
concatStringsSep "" (
  map (name: ''
    # ${name}
    (
    ${textOf name}
    )
    status=$?
    if [ "$status" -ne 0 ]; then
      echo "activation script ${name} failed with status $status" >&2
      failed=1
    fi
  '') (builtins.filter (name: textOf name != "" && textOf name != null) order)
)
