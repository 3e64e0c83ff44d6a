with builtins; map typeOf [ fetchurl fetchTarball fetchGit fetchTree fetchMercurial getFlake ] ++ [ (length [ (fetchurl "https://example.invalid/x") ]) ]
