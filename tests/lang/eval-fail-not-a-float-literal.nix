# There is no exponent without a dot: this applies the number to a variable.
let e20 = 1; in 1e20
