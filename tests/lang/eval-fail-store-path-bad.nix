builtins.storePath ./files
