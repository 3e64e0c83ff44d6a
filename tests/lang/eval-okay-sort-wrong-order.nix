# No order at all, but an answer nevertheless and always the same one.
with builtins; { always = length (sort (a: b: true) [ 1 2 3 4 5 6 7 8 9 ]); elements = sort lessThan (sort (a: b: true) [ 5 4 3 2 1 ]); }
