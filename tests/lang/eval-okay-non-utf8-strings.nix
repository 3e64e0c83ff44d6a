# The text of a string is bytes.
let s = builtins.readFile ./files/latin1.txt; in [ (builtins.stringLength s) (builtins.hashString "md5" s) (s == s) (s < "d") (builtins.substring 0 3 s) ]
