# What depends on a fixed output does not care how it is made.
let
  fixed = builder: derivation { name = "f"; system = "s"; inherit builder; outputHashAlgo = "sha256"; outputHash = builtins.hashString "sha256" "x"; };
  user = src: derivation { name = "u"; system = "s"; builder = "b"; inherit src; };
in {
  sameOut = (fixed "one").outPath == (fixed "two").outPath;
  otherDrv = (fixed "one").drvPath == (fixed "two").drvPath;
  usersOut = (user (fixed "one")).outPath == (user (fixed "two")).outPath;
  usersDrv = (user (fixed "one")).drvPath == (user (fixed "two")).drvPath;
  path = (user (fixed "one")).outPath;
  both = (derivation { name = "two"; system = "s"; builder = "b"; a = fixed "one"; b = fixed "two"; }).outPath;
}
