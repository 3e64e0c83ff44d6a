let
  fact = n: if n < 2 then 1 else n * fact (n - 1);
  even = n: n == 0 || odd (n - 1);
  odd = n: n != 0 && even (n - 1);
  fix = f: let x = f x; in x;
  y = f: (x: f (v: x x v)) (x: f (v: x x v));
in {
  factorial = fact 20;
  mutual = [ (even 100) (odd 7) (even 7) ];
  fixpoint = fix (self: { a = 1; b = self.a + 1; c = self.b * 2; });
  combinator = y (self: n: if n == 0 then 0 else n + self (n - 1)) 10;
}
