builtins.appendContext "x" { "/nix/store/cwhmpqkny22zpg19ml8d1paavn100kjb-a.txt" = { outputs = [ "out" ]; }; }
