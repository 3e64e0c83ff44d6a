{
  normalised = ./a/../b == ./b;
  joined = ./. + "/b" == ./b;
  string = /a == "/a";
  trailing = /a + "/" == /a;
}
