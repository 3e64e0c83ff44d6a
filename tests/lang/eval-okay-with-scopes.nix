let x = "let"; set = { x = "with"; y = "y of with"; }; in {
  lexicalWins = with set; x;
  fromWith = with set; y;
  innerWins = with { y = 1; }; with { y = 2; }; y;
  outerStill = with { a = 1; }; with { b = 2; }; [ a b ];
  lazy = with throw "unused"; 1;
  lazyOuter = with throw "unused"; with { a = 1; }; a;
  functionArgument = (y: with set; y) "argument";
  formal = ({ y }: with set; y) { y = "formal"; };
  inRec = rec { y = 5; z = with set; y; };
  withBuiltins = with builtins; length [ 1 2 3 ];
  nestedWithLet = with { a = 1; }; let b = a + 1; in with { a = 10; }; a + b;
  shadowingBuiltin = with { toString = x: "mine"; }; toString 1;
  dynamicAttribute = with { k = "name"; }; { ${k} = 1; };
  inString = with { w = "word"; }; "a ${w}";
  selfReferring = let s = { a = 1; b = with s; a; }; in s.b;
  body = with { f = x: x * 2; v = 4; }; f v;
}
