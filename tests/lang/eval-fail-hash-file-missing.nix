builtins.hashFile "sha256" ./files/missing
