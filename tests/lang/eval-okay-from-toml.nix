builtins.fromTOML (builtins.readFile ./files/everything.toml)
