let a = x: x; in a.0
