{
  plain = if 1 < 2 then "yes" else "no";
  nested = if false then 1 else if false then 2 else 3;
  lazy = if true then 1 else throw "not taken";
  danglingInside = if true then if false then 1 else 2 else 3;
  asOperand = (if true then 1 else 2) + 1;
  tail = if true then 1 else 2 + 10;
}
