let
  config = {
    a = config.b;
    b = [ config.a ];
    c = config.a + 1;
    d = config.c;
    e = config.d;
    self =
      builtins.length config.self;
  };
in
config.self
