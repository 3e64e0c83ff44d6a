let x = "X"; s = "a/b"; in {
  whole = ./${x};
  part = ./a/${x}/c;
  prefix = ./a${x}b;
  absolute = /${x}/y;
  dots = ./a/${"../b"};
  slashes = ./a/${s}/c;
  several = ./${x}${x}/${x};
  kind = builtins.typeOf ./${x};
  bare = a/${x};
  number = ./${toString 1};
}
