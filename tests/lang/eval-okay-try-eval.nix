let t = builtins.tryEval; in {
  value = t 1;
  throws = t (throw "caught");
  asserts = t (assert false; 1);
  searchPath = t <not-on-the-path>;
  shallow = (t { a = throw "inside"; }).success;
  deep = (t (builtins.deepSeq { a = throw "inside"; } 1)).success;
  nested = t (t (throw "inner"));
  throwInFunction = (t ((x: throw x) "m")).success;
  throwInMessage = (t (throw (throw "the message itself"))).success;
  throwInCondition = (t (if throw "c" then 1 else 2)).success;
  throwInBuiltin = (t (builtins.length (throw "l"))).success;
  throwWithContext = (t (builtins.addErrorContext "while" (throw "x"))).success;
  lazyList = (t [ (throw "in list") ]).success;
  unused = builtins.attrNames (t (throw "x"));
}
