map (extra: (derivation ({ name = "r"; system = "s"; builder = "b"; } // extra)).drvPath) [
  { allowedReferences = [ ]; } { allowedReferences = [ "out" ]; } { disallowedReferences = [ "/x" ]; } { allowedRequisites = [ "out" ]; } { disallowedRequisites = [ ]; }
  { passAsFile = [ "text" ]; text = "x"; } { impureEnvVars = [ "A" "B" ]; } { preferLocalBuild = true; } { allowSubstitutes = false; } { requiredSystemFeatures = [ "kvm" ]; } { __noChroot = true; } { __impureHostDeps = [ "/x" ]; }
  { exportReferencesGraph = [ "graph" (builtins.toFile "g" "x") ]; } { unsafeDiscardReferences.out = true; __structuredAttrs = true; }
]
