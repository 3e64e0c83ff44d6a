let x = 1.5abc; in x
