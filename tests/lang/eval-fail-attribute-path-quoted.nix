{ a."b c".d = throw "no"; }.a."b c".d
