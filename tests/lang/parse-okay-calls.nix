f: x: [ (f x) (f x x) (f (f x)) (f { }.a) (f { a = x; }) (f [ x ]) (f x.y) (f (-x)) (f "s" ./p) (f (y: y)) ]
