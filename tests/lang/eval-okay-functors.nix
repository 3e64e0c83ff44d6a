let
  counter = { __functor = self: step: self // { n = self.n + step; }; n = 0; };
  twice = { __functor = self: x: y: [ x y ]; };
  deep = { __functor = { __functor = _: self: x: [ "deep" (self ? tag) x ]; }; tag = 1; };
in {
  chained = (counter 1 2 3).n;
  mapped = map { __functor = _: x: x * 2; } [ 1 2 3 ];
  curried = twice 1 2;
  deep = deep 5;
  isFunction = builtins.isFunction counter;
  typeOf = builtins.typeOf counter;
  sorted = builtins.sort { __functor = _: a: b: a > b; } [ 1 3 2 ];
  self = { __functor = self: key: self.${key}; word = "found"; } "word";
}
