# The first set decides whether the merged one is recursive.
let x = "outer"; in {
  recFirst = { a = rec { x = 1; y = x; }; a.z = 2; }.a;
  plainFirst = { a = { x = 1; y = x; }; a = rec { z = x; }; }.a;
}
