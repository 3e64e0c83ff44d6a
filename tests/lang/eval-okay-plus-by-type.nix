{
  strings = "a" + "b";
  stringAndPath = "a" + files/plain.txt;
  pathAndString = /a + "b";
  pathAndSlash = /a + "/b";
  pathAndPath = /a + /b;
  pathWithDots = /a/b + "/../c";
  setWithOutPath = { outPath = "out"; } + "/bin";
  stringAndSet = "x" + { outPath = "out"; };
  setToString = { __toString = self: "me:${self.n}"; n = "1"; } + "!";
  kinds = map builtins.typeOf [ (/a + "b") ("a" + files/plain.txt) (/a + /b) (1 + 1) (1 + 1.0) ];
}
