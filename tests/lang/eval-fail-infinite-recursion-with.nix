let x = with x; y; in x
