let a = 1; b = a; inherit (c) d; c = { d = 1; }; in with c; assert a == 1; if a == b then d else let { body = 2; }
