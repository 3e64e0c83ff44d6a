toString [ 1 { a = 1; } ]
