/* start */ { # a
  a /* b */ = /* c */ 1 /* d */ ; # e
} /* end */ # last
