# Two modules that say different things.
let
  host = (import ./common).host [ "bootstrap" ] [
    {
      _file = "first.nix";
      bootstrap.isMinimal = true;
    }
    {
      _file = "second.nix";
      bootstrap.isMinimal = false;
    }
  ];
in
host.config.bootstrap.isMinimal
