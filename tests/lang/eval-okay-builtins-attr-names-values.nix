with builtins; {
  names = attrNames { b = 1; a = throw "unforced"; "c d" = 2; };
  values = attrValues { b = 1; a = 2; c = 3; };
  empty = [ (attrNames { }) (attrValues { }) ];
  byteOrder = attrNames { "é" = 1; z = 2; Z = 3; "_" = 4; "0" = 5; "-" = 6; };
  rec' = attrNames (rec { y = x; x = 1; });
}
