[
  ([ ] == [ ]) ([ 1 2 ] == [ 1 2 ]) ([ 1 2 ] == [ 2 1 ]) ([ 1 ] == [ 1 2 ]) ([ [ 1 ] ] == [ [ 1.0 ] ])
  # lengths are compared first
  ([ (throw "a") ] == [ ]) ([ 1 (throw "a") ] == [ 2 (throw "b") ])
]
