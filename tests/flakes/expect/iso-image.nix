# What the installer image has: the place for a host key, how it makes itself known, what it brings.
let
  common = import ./common;
  inherit (common) lib;
  inherit (common.nixos-bootstrap.lib) mkIso;
  image = modules: (mkIso { inherit modules; }).config;
  names = map (package: package.pname);
  service = service: {
    inherit (service) after before requires wantedBy;
    path = names service.path;
    restarts = service.serviceConfig.Restart or "no";
    # The scripts themselves are tried out elsewhere.
    hasScript = service.script != "";
  };
  inherit (image [ ])
    isoImage
    nix
    services
    systemd
    environment
    zramSwap
    ;
  slot = lib.head isoImage.contents;
  quiet = image [ { bootstrap.iso.announce = false; } ];
in
{
  slots = map (file: file.target) isoImage.contents;
  slotHeader = lib.head (lib.splitString "\n" slot.source.text);
  slotSize = lib.stringLength slot.source.text;
  hostKeys = services.openssh.hostKeys;
  channel = nix.channel.enable;
  features = nix.settings.experimental-features;
  packages = names environment.systemPackages;
  zram = zramSwap.enable;
  qemuGuest = services.qemuGuest.enable;
  sleep = lib.filter (name: !systemd.targets.${name}.enable) (builtins.attrNames systemd.targets);
  avahi = services.avahi;
  units = lib.mapAttrs (_: service) (
    lib.filterAttrs (name: _: lib.hasPrefix "nixos-installer-" name) systemd.services
  );
  quiet = {
    units = lib.filter (lib.hasPrefix "nixos-installer-") (builtins.attrNames quiet.systemd.services);
    inherit (quiet.services.avahi.publish) addresses userServices;
  };
}
