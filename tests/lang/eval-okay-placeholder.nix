map builtins.placeholder [ "out" "dev" "" "any name" ]
