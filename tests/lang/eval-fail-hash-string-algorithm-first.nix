builtins.hashString [ ] (throw "not wanted")
