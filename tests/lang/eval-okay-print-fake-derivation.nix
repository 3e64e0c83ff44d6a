[ { type = "derivation"; drvPath = "/nix/store/00000000000000000000000000000000-x.drv"; } { type = "derivation"; name = "n"; } { type = "other"; } ]
