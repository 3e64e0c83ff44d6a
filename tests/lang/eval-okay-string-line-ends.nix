# Carriage returns in a string become line feeds.
[ "a
b" "ab" ''
  a
    b
'' ''ab'' ]
