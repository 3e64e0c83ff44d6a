with builtins; {
  seq = seq 1 2;
  shallow = seq [ (throw "inside") ] 3;
  shallowSet = seq { a = throw "inside"; } 4;
  deepSeq = deepSeq { a = [ 1 { b = 2; } ]; } 5;
  deepCycle = let x = { self = x; }; in deepSeq x 6;
  deepFunction = deepSeq (x: throw "body") 7;
  caught = (tryEval (seq (throw "x") 1)).success;
}
