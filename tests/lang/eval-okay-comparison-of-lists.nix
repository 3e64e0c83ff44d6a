[
  ([ ] < [ 1 ]) ([ 1 ] < [ ]) ([ 1 2 ] < [ 1 3 ]) ([ 1 2 ] < [ 1 ]) ([ [ 1 ] ] < [ [ 2 ] ])
  ([ "a" 1 ] < [ "a" 2 ]) ([ 1 ] <= [ 1 ]) ([ ] < [ ]) ([ 1 (throw "never") ] < [ 2 ])
  # equal elements of types that have no order are passed over
  ([ null 1 ] < [ null 2 ]) ([ { } 1 ] < [ { } 2 ]) ([ true 1 ] < [ true 2 ])
]
