with builtins; {
  plain = split "," "a,b,c";
  groups = split "(,)" "a,b";
  several = split "(a)|(b)" "xaxb";
  none = split "x" "abc";
  empty = split "" "ab";
  emptyText = [ (split "a" "") (split "" "") ];
  star = split "a*" "ab";
  ends = split "," ",a,";
  anchors = [ (split "^a" "aaa") (split "a$" "aaa") (split "^" "ab") ];
  longest = split "(a|ab)" "xaby";
  spaces = split "[[:space:]]+" " one  two ";
  nested = split "((a)(b))" "xaby";
  newline = split "\n" "a\nb\n";
  dotAll = split "." "ab\n";
  adjacent = split "b" "abba";
}
