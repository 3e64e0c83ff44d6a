[
  ''''
  ''one''
  ''
    a
    b
  ''
  ''
    a
      b
     c
  ''
  ''  a
      b''
  ''
    no newline at end''
  ''

    blank lines

    between

  ''
  ''   ''
  ''

  ''
  ''
  x''
]
