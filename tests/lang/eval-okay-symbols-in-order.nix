# What is evaluated first shows where one failure is caught and the other one is not. Sets are gone
# through in the order in which their names came up.
let
  first = set: builtins.tryEval (builtins.deepSeq set true);
  caught = throw "caught";
  never = abort "evaluated too early";
  # The name of an argument comes up behind what follows it.
  plain = argumentOne: { bodyOne = 1; };
  withDefault = { argumentTwo ? { defaultTwo = 1; }, ... }: 1;
  namedBehind = { ... }@argumentThree: { bodyThree = 1; };
  namedBefore = argumentFour@{ formalFour, ... }: { bodyFour = 1; };
  nested = argumentFive: argumentSix: 1;
  known = argumentOne: { bodySeven = 1; };
in
{
  written = first { zeta = caught; alpha = never; };
  written_lists = first [ { zeta = caught; alpha = never; } ];
  builtin_names = first { outPath = caught; args = never; another = never; };
  body_first = first { argumentOne = never; bodyOne = caught; };
  default_first = first { argumentTwo = never; defaultTwo = caught; };
  behind = first { argumentThree = never; bodyThree = caught; };
  before = [
    (first { argumentFour = never; formalFour = caught; })
    (first { argumentFour = never; bodyFour = caught; })
  ];
  inner_first = first { argumentFive = never; argumentSix = caught; };
  again = first { argumentOne = caught; bodySeven = never; };
  computed = first (builtins.listToAttrs [
    { name = "up second"; value = caught; }
    { name = "comes third"; value = never; }
  ]);
  from_json = first (builtins.mapAttrs (name: value: if value then caught else never) (builtins.fromJSON ''{"json b": true, "json a": false}''));
  equality = builtins.tryEval ({ yota = caught; beta = never; } == { yota = 1; beta = 2; });
  update = builtins.tryEval (never // caught);
  updates = builtins.tryEval (never // never // caught);
  append = builtins.tryEval (1 ++ caught);
}
