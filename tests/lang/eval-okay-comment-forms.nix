# a line
[
  1 # after
  /* block */ 2
  /* several
     lines * / ** */ 3
  /**/ 4 /***/ 5
  "# not a comment" "/* neither */"
  /* # */ 6
  # /* */
  /** doc comment */ 7
]
