{ found = "search/within"; }
