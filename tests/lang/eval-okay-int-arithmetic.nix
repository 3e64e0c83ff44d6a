{
  sum = 3 + 4 * 5 - 6;
  left = 20 - 5 - 3;
  quotient = [ (7 / 2) (-7 / 2) (7 / -2) (-7 / -2) (0 / 5) ];
  leftQuotient = 100 / 5 / 2;
  negatedProduct = -2 * 3;
  minusMinus = 1 - -1;
  noSpaces = [ (1+2) (3*4) (5-1) ];
}
