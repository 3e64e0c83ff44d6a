{ lib, ... }:
let
  inherit (lib) mkEnableOption mkOption types;

  ports =
    description:
    mkOption {
      type = types.listOf types.port;
      default = [ ];
      apply = list: lib.sort lib.lessThan (lib.unique list);
      inherit description;
    };
  strings =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };

  address = {
    options = {
      address = mkOption {
        type = types.str;
        description = "The address.";
      };
      prefixLength = mkOption {
        type = types.int;
        description = "Bits of the network's part.";
      };
    };
  };

  interface =
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          description = "Name of the interface.";
        };
        useDHCP = mkOption {
          type = types.nullOr types.bool;
          default = null;
          description = "Whether the interface asks for its address; null: as networking.useDHCP.";
        };
        macAddress = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "Hardware address to use.";
        };
        ipv4.addresses = mkOption {
          type = types.listOf (types.submodule address);
          default = [ ];
          description = "Fixed IPv4 addresses.";
        };
        ipv6.addresses = mkOption {
          type = types.listOf (types.submodule address);
          default = [ ];
          description = "Fixed IPv6 addresses.";
        };
      };
    };
in
{
  options.networking = {
    hostName = mkOption {
      type = types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$";
      default = "nixos";
      description = "The machine's name, without a domain.";
    };
    hostId = mkOption {
      type = types.nullOr (types.strMatching "[0-9a-f]{8}");
      default = null;
      description = "32 bits that tell this machine from others, for ZFS.";
    };
    domain = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The machine's domain.";
    };
    useDHCP = mkOption {
      type = types.bool;
      default = true;
      description = "Whether interfaces ask for their address.";
    };
    useNetworkd = mkEnableOption "systemd-networkd for the interfaces";
    usePredictableInterfaceNames = mkOption {
      type = types.bool;
      default = true;
      description = "Whether interfaces are named by where they are plugged in.";
    };
    enableIPv6 = mkOption {
      type = types.bool;
      default = true;
      description = "Whether to use IPv6.";
    };
    interfaces = mkOption {
      type = types.attrsOf (types.submodule interface);
      default = { };
      description = "Interfaces by name.";
    };
    defaultGateway = mkOption {
      type = types.nullOr (
        types.either types.str (
          types.submodule {
            options = {
              address = mkOption { type = types.str; };
              interface = mkOption {
                type = types.nullOr types.str;
                default = null;
              };
            };
          }
        )
      );
      default = null;
      description = "The gateway.";
    };
    nameservers = strings "Addresses of name servers.";
    search = strings "Domains that short names are looked up in.";
    extraHosts = mkOption {
      type = types.lines;
      default = "";
      description = "Lines for /etc/hosts.";
    };
    hosts = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      description = "Names by address, for /etc/hosts.";
    };
    networkmanager = {
      enable = mkEnableOption "NetworkManager";
      wifi.powersave = mkOption {
        type = types.nullOr types.bool;
        default = null;
        description = "Whether the wireless card saves power.";
      };
    };
    wireless.enable = mkEnableOption "wpa_supplicant";
    firewall = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether to enable the firewall.";
      };
      allowedTCPPorts = ports "TCP ports that are open.";
      allowedUDPPorts = ports "UDP ports that are open.";
      trustedInterfaces = strings "Interfaces on which everything is open.";
      allowPing = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the machine answers pings.";
      };
    };
    nftables.enable = mkEnableOption "nftables";
    timeServers = mkOption {
      type = types.listOf types.str;
      default = [ "0.nixos.pool.ntp.org" ];
      description = "Time servers.";
    };
  };
}
