# The names of a set are made before its values are looked at.
let set = { ${set.name} = 1; name = "a"; }; in set
