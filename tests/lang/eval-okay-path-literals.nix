{
  relative = ./a;
  parent = ../a == ./. + "/../a";
  bare = a/b;
  absolute = /a/b;
  dots = ./a/../b/./c;
  aboveRoot = /../a;
  currentFolder = ./.;
  parentFolder = baseNameOf ../.;
  many = ./.a/b-c/d_e/f+g/1.2;
  kinds = map builtins.typeOf [ ./. a/b /a ];
  names = map baseNameOf [ ./a ./a/b.c /x ];
  parenthesis = [ (./a) ./b ];
  plus = ./a + "b";
  plusSlash = ./a + "/b";
  root = /. + "etc";
}
