{
  int = -5;
  float = 2.50;
  string = "quote \" backslash \\ newline \n tab \t return \r dollar $ brace \${ x } dollars $\${";
  unicode = "ä € 🙂";
  path = /some/path;
  null = null;
  list = [ ];
  set = { };
  "needs quotes" = 1;
  "if" = 2;
  "or" = 3;
  "a-b'c_d" = 4;
  "1a" = 5;
  "" = 6;
  "with\"quote" = 7;
  "a.b" = 8;
  "-x" = 9;
  "inherit" = 10;
  "true" = 11;
  "__x" = 12;
  "ä" = 13;
}
