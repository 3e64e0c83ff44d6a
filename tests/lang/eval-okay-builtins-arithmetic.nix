with builtins; {
  add = [ (add 1 2) (add 1 2.5) (add (-1) 1) (add 0.5 0.5) ];
  sub = [ (sub 1 2) (sub 1.5 1) ];
  mul = [ (mul 3 4) (mul 2 0.5) (mul (-3) 3) ];
  div = [ (div 7 2) (div (-7) 2) (div 7.0 2) (div 1 4.0) ];
  lessThan = [ (lessThan 1 2) (lessThan 2 1) (lessThan "a" "b") (lessThan [ 1 ] [ 2 ]) ];
  ceil = map ceil [ 1.2 (-1.2) 3 2.0 (-0.5) ];
  floor = map floor [ 1.8 (-1.2) 3 2.0 (-0.5) ];
  bitAnd = [ (bitAnd 12 10) (bitAnd (-1) 255) (bitAnd 0 7) ];
  bitOr = [ (bitOr 12 10) (bitOr (-8) 1) ];
  bitXor = [ (bitXor 12 10) (bitXor (-1) 1) ];
}
