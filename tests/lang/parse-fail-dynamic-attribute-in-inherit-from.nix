{ inherit (x) ${"a" + "b"}; }
