{ inherit (builtins) typeOf; sum = given + 1; }
