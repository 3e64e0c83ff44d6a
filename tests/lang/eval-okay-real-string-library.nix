with builtins;
let
  toChars = s: genList (i: substring i 1 s) (stringLength s);
  reverse = l: genList (i: elemAt l (length l - i - 1)) (length l);
  upper = replaceStrings (toChars "abcdefghijklmnopqrstuvwxyz") (toChars "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  join = concatStringsSep;
  splitOn = sep: s: filter isString (split sep s);
  hasPrefix = p: s: substring 0 (stringLength p) s == p;
  hasSuffix = p: s: let n = stringLength s; m = stringLength p; in n >= m && substring (n - m) n s == p;
  indent = n: s: join "\n" (map (l: if l == "" then l else "${join "" (genList (_: " ") n)}${l}") (splitOn "\n" s));
in {
  reversed = join "" (reverse (toChars "stressed"));
  shout = upper "hello, world";
  words = splitOn "[ ,]+" "one, two,three  four";
  prefixes = [ (hasPrefix "ab" "abc") (hasPrefix "abcd" "abc") (hasSuffix "bc" "abc") (hasSuffix "" "x") ];
  indented = indent 2 "a\n\nb";
}
