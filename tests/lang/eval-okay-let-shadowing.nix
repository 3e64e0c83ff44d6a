let x = 1; f = y: x + y; in [ (let x = 100; in f x) (let x = 2; y = x; in y) ((x: let y = x; in let x = 5; in [ x y ]) 3) ]
