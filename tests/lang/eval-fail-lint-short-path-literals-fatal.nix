[ a/b ]
