{
  scalars = map toString [ 1 (-1) 1.5 true false null "s" ./files "" ];
  lists = map toString [ [ ] [ 1 2 ] [ "a" [ "b" [ ] "c" ] "d" ] [ true false null ] [ [ ] [ ] ] [ "" "" ] ];
  sets = map toString [ { outPath = "o"; } { __toString = s: s.v; v = "w"; } { outPath = 5; } { __toString = _: 6; } ];
  inList = toString [ 1 { outPath = "x"; } { __toString = _: "y"; } [ null ] 1.5 ];
  trailingEmptyList = toString [ "a" [ ] ];
}
