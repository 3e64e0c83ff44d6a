# An option that nobody declares, and the one that was meant.
let
  common = import ./common;
in
(common.machine [
  {
    _file = "hosts/grief/default.nix";
    networking.hostname = "grief";
  }
]).networking.hostName
