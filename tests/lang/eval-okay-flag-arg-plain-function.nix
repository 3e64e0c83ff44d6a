# A function without a set pattern is printed, not called.
x: x
