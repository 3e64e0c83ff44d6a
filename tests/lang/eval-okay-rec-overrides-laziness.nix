let set = rec { __overrides = { inherit (builtins) length; x = throw "never"; }; n = length [ 1 2 ]; length = throw "overridden"; }; in [ set.n (builtins.attrNames set) ]
