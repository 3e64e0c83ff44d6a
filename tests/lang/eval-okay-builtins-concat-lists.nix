with builtins; [ (concatLists [ ]) (concatLists [ [ 1 ] [ ] [ 2 [ 3 ] ] ]) (length (concatLists [ [ (throw "x") ] ])) ]
