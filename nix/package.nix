# The program with its completions and manual pages, and the programs that it calls.
{
  lib,
  stdenv,
  rustPlatform,
  installShellFiles,
  makeWrapper,
  age,
  git,
  nix,
  nixos-anywhere,
  openssh,
  rsync,
  sops,
  util-linux,
}:
let
  # The program finds these before whatever the caller's PATH has. That is not cut off, since hooks
  # of git and the helpers of ssh and age live there.
  runtimeInputs = [
    age
    git
    nix
    nixos-anywhere
    openssh
    rsync
    sops
    util-linux
  ];

  sources = [
    "Cargo.lock"
    "Cargo.toml"
    "LICENSE"
    "README.md"
    "benches"
    "src"
    "tests"
  ];
  top = toString ./..;
in
rustPlatform.buildRustPackage {
  pname = "nixos-bootstrap";
  inherit ((builtins.fromTOML (builtins.readFile ../Cargo.toml)).package) version;

  # Only what cargo reads: other files do not make a build anew.
  src = builtins.path {
    path = ./..;
    name = "nixos-bootstrap-source";
    filter =
      path: _:
      let
        first = builtins.head (lib.splitString "/" (lib.removePrefix "${top}/" path));
      in
      lib.elem first sources;
  };
  cargoLock.lockFile = ../Cargo.lock;

  nativeBuildInputs = [
    installShellFiles
    makeWrapper
  ];

  # The checks of the flake run them.
  doCheck = false;

  postInstall =
    lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
      for shell in bash fish zsh; do
        "$out/bin/nixos-bootstrap" completions "$shell" > "nixos-bootstrap.$shell"
        installShellCompletion --cmd nixos-bootstrap "--$shell" "nixos-bootstrap.$shell"
      done
      "$out/bin/nixos-bootstrap" man --dir man
      installManPage man/*
    ''
    + ''
      wrapProgram "$out/bin/nixos-bootstrap" --prefix PATH : ${lib.makeBinPath runtimeInputs}
      # What the apps start.
      for subcommand in bootstrap iso; do
        makeWrapper "$out/bin/nixos-bootstrap" "$out/bin/nixos-bootstrap-$subcommand" --add-flags "$subcommand"
      done
    '';

  passthru = { inherit runtimeInputs; };

  meta = {
    description = "Turns a machine that has booted an installer into a fully configured NixOS host";
    license = lib.licenses.mit;
    mainProgram = "nixos-bootstrap";
    platforms = lib.platforms.linux ++ lib.platforms.darwin;
  };
}
