let
  hex = builtins.hashString "sha256" "abc";
  to = toHashFormat: builtins.convertHash { hash = hex; hashAlgo = "sha256"; inherit toHashFormat; };
  back = hash: builtins.convertHash { inherit hash; hashAlgo = "sha256"; toHashFormat = "base16"; };
in {
  forms = map to [ "base16" "nix32" "base64" "sri" ];
  round = map (f: back (to f) == hex) [ "base16" "nix32" "base64" "sri" ];
  fromSri = builtins.convertHash { hash = to "sri"; toHashFormat = "base16"; };
  prefixed = builtins.convertHash { hash = "sha256:${hex}"; toHashFormat = "nix32"; };
  prefixedWithAlgo = builtins.convertHash { hash = "sha256:${hex}"; hashAlgo = "sha256"; toHashFormat = "base64"; };
  others = map (a: builtins.convertHash { hash = builtins.hashString a ""; hashAlgo = a; toHashFormat = "sri"; }) [ "md5" "sha1" "sha512" ];
}
