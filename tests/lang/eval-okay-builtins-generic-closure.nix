with builtins; let keys = c: map (x: x.key) c; in {
  countdown = keys (genericClosure { startSet = [ { key = 5; } ]; operator = x: if x.key > 0 then [ { key = x.key - 1; } ] else [ ]; });
  breadthFirst = keys (genericClosure { startSet = [ { key = 1; } ]; operator = x: if x.key < 8 then [ { key = x.key * 2; } { key = x.key * 2 + 1; } ] else [ ]; });
  duplicates = keys (genericClosure { startSet = [ { key = "a"; n = 1; } { key = "b"; } { key = "a"; n = 2; } ]; operator = x: [ { key = "a"; } { key = "c"; } ]; });
  firstKept = genericClosure { startSet = [ { key = 1; from = "first"; } { key = 1; from = "second"; } ]; operator = x: [ ]; };
  empty = genericClosure { startSet = [ ]; operator = throw "unused"; };
  listKeys = keys (genericClosure { startSet = [ { key = [ 1 "a" ]; } { key = [ 1 "b" ]; } { key = [ 1 "a" ]; } ]; operator = x: [ ]; });
  floatKeys = keys (genericClosure { startSet = [ { key = 1; } { key = 1.0; } { key = 1.5; } ]; operator = x: [ ]; });
  extraArguments = length (genericClosure { startSet = [ { key = 1; x = throw "unused"; } ]; operator = x: [ ]; ignored = 1; });
  cycle = keys (genericClosure { startSet = [ { key = 0; } ]; operator = x: [ { key = let n = x.key + 1; in if n == 4 then 0 else n; } ]; });
}
