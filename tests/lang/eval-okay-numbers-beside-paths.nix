# A digit sequence with a slash inside and no blanks is a path; `1e20` is a call.
{
  path = builtins.typeOf 7/2;
  division = 7 / 2;
  list = builtins.length [ 1.2.3 ];
  leading = [ 0.1.2 ];
}
