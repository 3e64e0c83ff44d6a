builtins.listToAttrs (map (name: { inherit name; value = map (builtins.hashString name) [ "" "abc" "ä\n" ]; }) [ "md5" "sha1" "sha256" "sha512" ])
