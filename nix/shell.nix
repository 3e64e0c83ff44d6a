# What one needs to work on this repository.
{
  mkShell,
  package,
  cargo,
  clippy,
  just,
  rust-analyzer,
  rustc,
  rustfmt,
  shellcheck,
}:
mkShell {
  packages = [
    cargo
    clippy
    just
    rust-analyzer
    rustc
    rustfmt
    shellcheck
  ]
  ++ package.runtimeInputs;
}
