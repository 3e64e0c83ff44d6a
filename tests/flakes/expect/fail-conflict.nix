# Two plain definitions of what can only be one.
let
  common = import ./common;
in
(common.machine [
  {
    _file = "a.nix";
    time.timeZone = "UTC";
  }
  {
    _file = "b.nix";
    time.timeZone = "Europe/Berlin";
  }
]).time.timeZone
