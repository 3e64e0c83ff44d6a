# Traces come in the order of evaluation: arguments are lazy, operands go from left to right.
let t = builtins.trace; in (t "one" 1) + (t "two" 2)
