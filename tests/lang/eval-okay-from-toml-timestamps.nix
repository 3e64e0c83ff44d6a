builtins.fromTOML ''
  offset = 1979-05-27T07:32:00Z
  zone = 1979-05-27T00:32:00.999999-07:00
  local = 1979-05-27T07:32:00
  date = 1979-05-27
  time = 07:32:00
  space = 1979-05-27 07:32:00Z
  fraction = 00:32:00.5
''
