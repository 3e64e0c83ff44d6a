with builtins; {
  plain = replaceStrings [ "a" "b" ] [ "1" "2" ] "abcab";
  swap = replaceStrings [ "a" "b" ] [ "b" "a" ] "abba";
  firstMatchWins = [ (replaceStrings [ "a" "ab" ] [ "1" "2" ] "ab") (replaceStrings [ "ab" "a" ] [ "2" "1" ] "ab") ];
  empty = replaceStrings [ "" ] [ "-" ] "abc";
  emptyOnEmpty = replaceStrings [ "" ] [ "-" ] "";
  emptyAndOther = replaceStrings [ "" "b" ] [ "-" "X" ] "abc";
  otherAndEmpty = replaceStrings [ "b" "" ] [ "X" "-" ] "abc";
  none = replaceStrings [ ] [ ] "abc";
  notFound = replaceStrings [ "x" ] [ (throw "unused") ] "abc";
  long = replaceStrings [ "abc" ] [ "" ] "xabcyabc";
  overlap = replaceStrings [ "aa" ] [ "b" ] "aaa";
  newline = replaceStrings [ "\n" ] [ " " ] "a\nb\n";
  bytes = replaceStrings [ "ä" ] [ "ae" ] "äpfel";
}
