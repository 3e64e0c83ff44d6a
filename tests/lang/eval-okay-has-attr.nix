let set = { a.b.c = null; n = 1; f = throw "unused"; }; in [
  (set ? a) (set ? a.b.c) (set ? a.b.d) (set ? x) (set ? n.y) (set ? "a") (set ? ${"a"}.b) (set ? "a".${"z"})
  (1 ? a) (null ? a.b) ([ ] ? a) ((x: x) ? a) ("s" ? a) (set ? f)
]
