# The set is evaluated once for all names: one trace, not two.
let set = { inherit (builtins.trace "once" { a = 1; b = 2; }) a b; }; in set.a + set.b
