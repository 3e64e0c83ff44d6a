let x = { y = 1; }; in { inherit x.y; }
