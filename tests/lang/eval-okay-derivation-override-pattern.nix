let
  make = attrs: derivation ({ system = "s"; builder = "b"; } // attrs) // { override = new: make (attrs // new); extra = 1; };
  a = make { name = "a"; };
in [ a.extra (a.override { name = "b"; }).outPath (a.override { x = 1; }).outPath (a == a.override { }) (a == make { name = "c"; }) ]
