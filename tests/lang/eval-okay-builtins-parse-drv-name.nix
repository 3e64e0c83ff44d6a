map builtins.parseDrvName [ "nix-2.34.8" "nix" "a-b-c-1.0" "a-b" "a--1" "-1" "" "x-1-2" "lib-2a" "ab-.5" "font-9x" "name-" "n-v1.0" "p-٣" ]
