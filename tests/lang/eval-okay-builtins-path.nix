with builtins; {
  plain = path { path = ./files/tree; };
  named = path { path = ./files/tree; name = "other-name"; };
  file = path { path = ./files/plain.txt; };
  flat = path { path = ./files/plain.txt; recursive = false; };
  filtered = path { path = ./files/tree; filter = p: type: type == "directory" || baseNameOf p == "c.txt"; };
  none = path { path = ./files/tree; filter = p: t: false; };
  everything = path { path = ./files/tree; filter = p: t: true; } == path { path = ./files/tree; };
  string = path { path = toString ./files/tree/b; name = "b"; };
  executable = path { path = ./files/tree/b/run.sh; };
  expected = path { path = ./files/plain.txt; sha256 = hashFile "sha256" ./files/plain.txt; recursive = false; };
  asInterpolated = "${./files/tree}" == path { path = ./files/tree; name = "tree"; };
  context = attrNames (getContext (path { path = ./files/plain.txt; }));
}
