{
  holds = assert true; 1;
  nested = assert 1 < 2; assert true; "ok";
  caught = (builtins.tryEval (assert false; 1)).success;
  lazyBody = (builtins.tryEval (assert true; 2)).value;
  inFunction = (x: assert x > 0; x) 3;
}
