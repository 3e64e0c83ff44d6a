{ someName = 1; unlike = 2; }.someNane
