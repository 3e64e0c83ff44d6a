(throw "the base") ? a
