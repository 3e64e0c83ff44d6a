with builtins; {
  onlyTxt = filterSource (p: t: t == "directory" || match ".*\\.txt" p != null) ./files/tree;
  noLinks = filterSource (p: t: t != "symlink") ./files/tree;
  all = filterSource (p: t: true) ./files/tree == "${./files/tree}";
  file = filterSource (p: t: throw "not asked for the root") ./files/plain.txt;
}
