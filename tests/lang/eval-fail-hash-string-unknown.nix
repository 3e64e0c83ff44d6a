builtins.hashString "crc32" ""
