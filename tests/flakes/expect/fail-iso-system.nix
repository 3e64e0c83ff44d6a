# A platform without an installer image.
(import ./common).nixos-bootstrap.lib.mkIso { system = "riscv64-linux"; }
