# The argument is forced for its names even if none is used.
({ ... }: 1) (throw "the argument")
