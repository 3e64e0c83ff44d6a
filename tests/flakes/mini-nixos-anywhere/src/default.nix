# Stands for nixos-anywhere's package, which its flake has at this place.
{ writeShellScriptBin }:
writeShellScriptBin "nixos-anywhere" ''
  echo "nixos-anywhere: this is a stand-in that installs nothing" >&2
  exit 1
''
