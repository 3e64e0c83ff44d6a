let
  after = { a, b ? 2, ... } @ all: [ a b all ];
  before = all @ { a ? 1, ... }: [ a all ];
in {
  after = after { a = 1; c = 3; };
  before = before { x = 1; };
  # what is defaulted is not in the whole argument
  defaulted = (all @ { a ? 1 }: all ? a) { };
  inDefault = ({ a ? all.b, ... } @ all: a) { b = 9; };
  empty = (all @ { }: all) { };
  same = let set = { a = 1; f = x: x; }; in ({ ... } @ all: all == set) set;
}
