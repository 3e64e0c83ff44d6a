# Nobody is named.
let
  host = (import ./common).host [ "user" ] [ ];
in
builtins.attrNames host.config.users.users
