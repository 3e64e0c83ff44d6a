{ found = "named"; }
