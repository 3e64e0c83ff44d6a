let a' = 1; _b = 2; c-d = 3; e'f-g_h1 = 4; _ = 5; or' = 6; ifx = 7; in' = 8; A = 9; recursive = 10; in [ a' _b c-d e'f-g_h1 _ or' ifx in' A recursive ]
