with builtins; {
  plain = listToAttrs [ { name = "a"; value = 1; } { name = "b c"; value = 2; } ];
  firstWins = listToAttrs [ { name = "a"; value = 1; } { name = "a"; value = throw "second"; } ];
  extra = listToAttrs [ { name = "a"; value = 1; other = 2; } ];
  empty = listToAttrs [ ];
}
