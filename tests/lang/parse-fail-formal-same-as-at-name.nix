{ a, b } @ a: a
