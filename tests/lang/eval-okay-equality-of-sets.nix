[
  ({ } == { }) ({ a = 1; b = 2; } == { b = 2; a = 1; }) ({ a = 1; } == { b = 1; }) ({ a = 1; } == { a = 1; b = 2; })
  ({ a = throw "x"; } == { b = throw "x"; }) ({ a = throw "x"; } == { }) ({ a.b.c = 1; } == { a.b.c = 1; })
  (rec { a = 1; b = a; } == { a = 1; b = 1; })
  ({ a = 1; b = throw "never"; } == { a = 2; b = throw "never"; })
]
