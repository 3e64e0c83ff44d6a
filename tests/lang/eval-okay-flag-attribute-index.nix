{ list = [ 0 { x = "second"; } ]; }
