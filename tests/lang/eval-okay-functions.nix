let
  id = x: x;
  add = a: b: a + b;
  compose = f: g: x: f (g x);
in {
  id = id 1;
  curried = add 1 2;
  partial = map (add 10) [ 1 2 ];
  composed = compose (add 1) (add 2) 3;
  immediate = (x: y: [ x y ]) 1 2;
  shadow = (x: (x: x + 1) (x * 2)) 3;
  unused = (_: 1) (throw "unused");
  returnsFunction = ((x: y: x) 1) 2;
  manyArguments = (a: b: c: d: e: f: [ a b c d e f ]) 1 2 3 4 5 6;
  tooMany = (a: b: c: a + b + c) 1 2 3;
}
