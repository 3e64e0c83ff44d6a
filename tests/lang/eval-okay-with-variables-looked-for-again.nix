# A variable of a `with` is found in the same place each time, but each `with` has sets of its own.
let
  inherit (builtins) trace;
  one = {
    a = "one.a";
    b = "one.b";
  };
  two = {
    b = "two.b";
    c = trace "evaluated once" "two.c";
  };
  inner =
    set:
    with one;
    with set;
    let
      f = x: [
        a
        b
        c
        x
      ];
    in
    [
      (f 1)
      (f 2)
      b
      b
    ];
  named = set: name: with set; (x: x.${name} or a);
  many =
    with builtins.listToAttrs (
      builtins.genList (n: {
        name = "n${toString n}";
        value = n;
      }) 30
    );
    (x: [ n0 n1 n2 n3 n4 n5 n6 n7 n8 n9 n10 n11 n12 n13 n14 n15 n16 n17 n18 n19 n29 n0 x ]);
in
[
  (inner two)
  (inner (
    two
    // {
      a = "three.a";
    }
  ))
  (inner { c = "four.c"; })
  ((named { a = 1; } "b") { c = 2; })
  ((named { a = 3; } "b") { c = 2; })
  ((named { a = 3; } "b") { b = 2; })
  (many 1)
  (many 2)
  (map (set: with set; map (n: n + v) [ 1 2 ]) [ { v = 10; } { v = 20; } ])
  (with { a = 5; }; (a: [ a a ]) 6)
  # What is not there is not found the second time either.
  (with { x = throw "x"; }; let f = y: (builtins.tryEval x).success; in [ (f 1) (f 2) ])
]
