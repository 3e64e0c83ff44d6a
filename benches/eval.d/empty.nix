# Nothing: what starting costs.
0
