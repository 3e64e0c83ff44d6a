builtins.path { path = ./files/plain.txt; recursive = false; sha256 = builtins.hashString "sha256" "other contents"; }
