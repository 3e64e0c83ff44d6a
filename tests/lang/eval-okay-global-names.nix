[
  (map (x: x) [ ]) (toString 1) (baseNameOf "a/b") (dirOf "a/b") (removeAttrs { a = 1; } [ "a" ]) (isNull null)
  (builtins.isFunction derivation) (builtins.isFunction abort) (builtins.isFunction throw) (builtins.isFunction import)
  (builtins.isFunction scopedImport) (builtins.isFunction fetchTarball) (builtins.isFunction fetchGit) (builtins.isFunction fetchTree)
  (builtins.isFunction fetchMercurial) (builtins.isFunction derivationStrict) (builtins.isFunction placeholder)
  (builtins.isFunction fromTOML) (builtins.isFunction break) (builtins ? builtins)
]
