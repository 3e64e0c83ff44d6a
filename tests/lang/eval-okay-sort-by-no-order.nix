# A comparison that is no order gives what the order of its calls makes of it.
let
  numbers = count: start: builtins.genList (at: builtins.bitAnd ((at + start) * (at + 7) * 2654435761 / 1000) 31) count;
  pairs = count: builtins.genList (at: { key = builtins.elemAt (numbers count 3) at; inherit at; }) count;
  by = less: count: map ({ key, at }: "${toString key}.${toString at}") (builtins.sort (a: b: less a.key b.key) (pairs count));
  counts = [ 2 3 5 16 17 40 100 ];
in
{
  not_greater = map (by (a: b: a <= b)) counts;
  always = map (by (a: b: true)) counts;
  parity = map (by (a: b: builtins.bitAnd (builtins.bitXor a b) 1 == 1)) counts;
  runs = by (a: b: a <= b) 0 ++ builtins.sort (a: b: a <= b) (builtins.genList (at: at) 20 ++ builtins.genList (at: 50 - at) 30);
  traced = builtins.sort (a: b: builtins.trace "${toString a} before ${toString b}?" (a <= b)) [ 3 1 2 2 ];
}
