with builtins; {
  remove = removeAttrs { a = 1; b = 2; c = 3; } [ "a" "c" "not there" ];
  removeNone = removeAttrs { a = 1; } [ ];
  removeAll = removeAttrs { a = throw "x"; } [ "a" "a" ];
  intersect = intersectAttrs { a = 1; b = 2; x = throw "left is not used"; } { b = 3; c = 4; x = 5; };
  intersectEmpty = [ (intersectAttrs { } { a = 1; }) (intersectAttrs { a = 1; } { }) ];
  bigLeft = intersectAttrs (listToAttrs (genList (i: { name = toString i; value = i; }) 50)) { "7" = "seven"; y = 0; };
  bigRight = intersectAttrs { "7" = 0; y = 0; } (listToAttrs (genList (i: { name = toString i; value = i; }) 50));
}
