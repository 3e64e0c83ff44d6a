# The recipes of a nix-config, as the template has them, on the tool as it is here; `just` lists them.
# Run them with a flake that has hosts: just plan grief --flake ~/nix-config

import "templates/default/justfile"

set allow-duplicate-variables

tool := env("NIXOS_BOOTSTRAP", "nix run .#nixos-bootstrap --")

# Every check of this repository
[group("development")]
test *ARGS:
    scripts/test "$@"

# An emulated machine becomes a host, before your eyes
[group("development")]
demo *ARGS:
    scripts/demo "$@"

# Write docs/options.md anew from the modules
[group("development")]
options-doc:
    scripts/options-doc
