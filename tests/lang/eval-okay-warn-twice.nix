map (x: builtins.warn "the same" x) [ 1 2 ]
