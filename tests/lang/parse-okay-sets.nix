rec { a = 1; b.c = 2; b.d = 3; "e f" = 4; ${"g"} = 5; ${"h" + "i"} = 6; inherit (b) c d; j = { inherit (b) c; }; k."l m".n = 7; }
