{
  orAnd = true || true && false;
  implies = [ (false -> false -> false) ((false -> false) -> false) (true -> false || true) ];
  notEqual = !true == false;
  notHas = !{ } ? a;
  compareThenEqual = 1 < 2 == true;
  concatBeforeUpdate = { a = [ 1 ] ++ [ 2 ]; } // { b = 1; };
  concatIsRight = [ 1 ] ++ [ 2 ] ++ [ 3 ];
  updateIsRight = { a = 1; } // { a = 2; b = 2; } // { b = 3; };
  plusBeforeCompare = 1 + 1 < 3;
  callFirst = (x: x + 1) 1 * 3;
  negatedCall = -(x: x) 3;
  negatedSelect = -{ a = 4; }.a;
  hasThenAnd = { a = 1; } ? a && true;
}
