map (e: e // { path = baseNameOf e.path; }) builtins.nixPath
