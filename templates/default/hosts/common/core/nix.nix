{
  nix.settings = {
    experimental-features = [
      "nix-command"
      "flakes"
    ];
    # May copy unsigned store paths to the host, which `nixos-rebuild --target-host` does.
    trusted-users = [ "@wheel" ];
  };
}
