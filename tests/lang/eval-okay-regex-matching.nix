with builtins; {
  whole = [ (match "ab" "ab") (match "a" "ab") (match "b" "ab") (match "" "") (match "" "a") ];
  groups = [ (match "(a)(b)" "ab") (match "(a)|(b)" "b") (match "((a)(b))" "ab") (match "(a)?b" "b") (match "(a*)b" "b") (match "(x(y)?)*" "xxy") ];
  dot = [ (match "." "a") (match "." "\n") (match ".*" "a\nb") ];
  classes = [ (match "[abc]+" "cab") (match "[^abc]+" "xyz") (match "[a-z0-9]+" "a1") (match "[]a]+" "]a") (match "[^]]" "x") (match "[a-]+" "a-") (match "[[:alpha:]]+[[:digit:]]*" "abc12") (match "[[:space:]]*" " \t\n") (match "[[:upper:][:punct:]]+" "A!B") ];
  repeats = [ (match "a{2}" "aa") (match "a{2,}" "aaaa") (match "a{1,2}" "aaa") (match "a{0}" "") (match "(ab)+" "abab") (match "a?" "") ];
  anchors = [ (match "^a$" "a") (match "^a\n" "a\n") (match "a$b" "a$b") ];
  escapes = [ (match "\\." ".") (match "\\." "a") (match "a\\+b" "a+b") (match "\\(\\)" "()") (match "\\[x" "[x") (match "\\\\" "\\") (match "\\{" "{") ];
  alternation = [ (match "a|b|" "") (match "(a|ab)(c|bcd)(d*)" "abcd") (match "(foo|foobar)(bar)?" "foobar") ];
  literalInBrackets = [ (match "[\\.]" "\\") (match "[.]" "a") (match "[*]" "*") (match "[$^]+" "$^") ];
  greedy = match "(.*)-(.*)" "a-b-c";
  bytes = [ (match "(.)(.)" "ä") (match "ä+" "ää") ];
}
