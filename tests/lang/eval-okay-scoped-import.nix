with builtins; {
  given = (scopedImport { given = 1; } ./files/scoped.nix).sum;
  twice = map (given: (scopedImport { inherit given; } ./files/scoped.nix).sum) [ 1 10 ];
  shadows = (scopedImport { given = 1; builtins = { typeOf = "mine"; }; } ./files/scoped.nix).typeOf;
  stillBuiltins = isFunction (scopedImport { given = 1; } ./files/scoped.nix).typeOf;
  undefinedElsewhere = scopedImport { nowhereBound = "bound now"; } ./files/undefined.nix;
  overridesImport = scopedImport { import = x: "my import"; } ./files/cyclic/a.nix;
}
