with builtins; let set = { a = 1; "b c" = 2; n = null; }; in [ (getAttr "a" set) (getAttr "b c" set) (hasAttr "a" set) (hasAttr "x" set) (hasAttr "n" set) (hasAttr "" { "" = 1; }) ]
