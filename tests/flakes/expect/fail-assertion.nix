# A machine that can't be: all reasons at once, before anything is built.
let
  common = import ./common;
in
(common.machine [ { users.mutableUsers = false; } ]).system.build.toplevel.drvPath
