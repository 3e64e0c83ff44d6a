[ (x: x + 1) (x: y: x // y) (x: if x then x else y: y) (a: with a; b) (a: assert a; a) ]
