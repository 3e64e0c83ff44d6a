# A value of the wrong type: the option, the type, the file and the value.
let
  common = import ./common;
in
(common.machine [
  {
    _file = "hosts/grief/default.nix";
    networking.firewall.allowedTCPPorts = [ "22" ];
  }
]).networking.firewall.allowedTCPPorts
