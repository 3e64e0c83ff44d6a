with builtins; [ (length [ ]) (length [ 1 2 ]) (head [ 1 2 ]) (tail [ 1 ]) (tail [ 1 2 3 ]) (elemAt [ 1 2 3 ] 0) (elemAt [ 1 2 3 ] 2) ]
