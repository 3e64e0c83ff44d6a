with builtins; let
  drv = derivation { name = "d"; system = "s"; builder = "b"; };
  file = toFile "f" "x";
in {
  discard = getContext (unsafeDiscardStringContext "${drv}${file}");
  outputDependency = getContext (unsafeDiscardOutputDependency drv.drvPath);
  addBack = getContext (addDrvOutputDependencies (unsafeDiscardOutputDependency drv.drvPath));
  appendPath = getContext (appendContext "text" { ${unsafeDiscardStringContext file} = { path = true; }; });
  appendOutputs = getContext (appendContext "text" { ${unsafeDiscardStringContext drv.drvPath} = { outputs = [ "dev" "out" ]; }; });
  appendAllOutputs = getContext (appendContext "text" { ${unsafeDiscardStringContext drv.drvPath} = { allOutputs = true; }; });
  appendNothing = getContext (appendContext file { });
  appendFalse = getContext (appendContext "t" { ${unsafeDiscardStringContext file} = { path = false; }; });
  round = let s = "${drv}${file}"; in getContext (appendContext (unsafeDiscardStringContext s) (getContext s)) == getContext s;
}
