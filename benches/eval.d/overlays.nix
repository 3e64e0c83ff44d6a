# A package set of 10,000 names under 100 overlays, each of which changes 200 packages and adds another.
let
  fix = f: let x = f x; in x;
  extends = overlay: base: final: let previous = base final; in previous // overlay final previous;
  numbered = count: make: builtins.listToAttrs (builtins.genList make count);
  base = final: numbered 10000 (i: {
    name = "package${toString i}";
    value = { version = i; inputs = if i == 0 then [ ] else [ final."package${toString (i / 2)}" ]; };
  });
  overlay = n: final: previous: {
    "extra${toString n}" = { version = final.package0.version + n; inputs = [ final.package1 ]; };
    package0 = previous.package0 // { version = previous.package0.version + 1; };
  } // numbered 200 (i: let name = "package${toString (i * 49 + n + 1)}"; in {
    inherit name;
    value = previous.${name} // { patched = n; version = previous.${name}.version + final.package0.version; };
  });
  set = fix (builtins.foldl' (f: o: extends o f) base (builtins.genList overlay 100));
  weight = p: p.version + builtins.foldl' (total: input: total + input.version) 0 p.inputs;
in
builtins.foldl' (total: name: total + weight set.${name}) 0 (builtins.attrNames set)
