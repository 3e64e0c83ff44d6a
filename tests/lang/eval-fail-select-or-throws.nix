# `or` is for what is missing, not for what fails.
{ a = throw "the attribute itself"; }.a or 1
