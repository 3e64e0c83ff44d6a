let
  multi = "one\n  two\n";
  x = "X";
in [
  ''
    ${x}
      ${x}
  ''
  ''
      ${x}
    y
  ''
  ''
    a ${multi} b
  ''
  ''${x}
    y
  ''
  ''
    ${x}''
  ''
    a
     ${x} b
  ${x}
  ''
  ''
    ${''
      inner
        deep
    ''}outer
  ''
]
