# What is told is where it stands.
let here = __curPos; f = x: __curPos; strip = p: p // { file = baseNameOf p.file; }; in map strip [
  here __curPos
    (f 1) (import ./files/position.nix).here (let inherit (__curPos) file line column; in { inherit file line column; })
]
