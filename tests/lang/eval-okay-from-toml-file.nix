builtins.fromTOML (builtins.readFile ./files/data.toml)
