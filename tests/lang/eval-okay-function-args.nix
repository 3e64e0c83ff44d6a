{
  formals = builtins.functionArgs ({ a, b ? 1, ... }: a);
  none = builtins.functionArgs ({ }: 1);
  simple = builtins.functionArgs (x: x);
  at = builtins.functionArgs (x @ { y }: y);
  builtin = builtins.functionArgs builtins.map;
  partial = builtins.functionArgs (builtins.map (x: x));
  defaultsUnforced = builtins.functionArgs ({ a ? throw "default" }: a);
}
