let a = "a"; in { chain = a + "b" + "c" + a + "d"; mixed = "x" + "${a}" + ''y''; empty = "" + ""; }
