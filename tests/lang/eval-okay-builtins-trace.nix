with builtins; [ (trace "plain text" 1) (trace 5 2) (trace { a = 1; b = 1 + 1; } 3) (trace [ 1 2 ] 4) (trace "\"quoted" 5) ]
