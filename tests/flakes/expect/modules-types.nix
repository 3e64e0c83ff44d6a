# Types that take several kinds of values, and how they merge.
let
  common = import ./common;
  inherit (common) lib;
  inherit (lib) mkOption types;
  of = type: mkOption { inherit type; };
  result = common.values [
    {
      options = {
        either = of (types.either types.int (types.listOf types.str));
        oneOf = of (
          types.oneOf [
            types.bool
            types.int
            types.str
          ]
        );
        coerced = of (types.coercedTo types.int toString types.commas);
        function = of (types.functionTo (types.listOf types.int));
        anything = of types.anything;
        nullable = of (types.nullOr types.int);
        lazy = of (types.lazyAttrsOf types.int);
        lines = of (types.separatedString ", ");
        port = of types.port;
        empty = of (types.attrsOf types.int);
      };
    }
    {
      either = [ "a" ];
      oneOf = "text";
      coerced = 1;
      function = x: [ x ];
      anything.a.b = 1;
      nullable = null;
      lazy.bad = throw "not asked for";
      lazy.good = 1;
      lines = "a";
      port = 65535;
    }
    {
      either = [ "b" ];
      coerced = "2";
      function = x: [ (x + 1) ];
      anything.a.c = [ 2 ];
      lines = "b";
    }
  ];
in
removeAttrs result [
  "function"
  "lazy"
]
// {
  called = result.function 1;
  lazy = result.lazy.good;
}
