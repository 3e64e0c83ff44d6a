# Without any argument on the command line a function is printed, even if all has a default.
{ x ? 1, y ? x + 1 }: { inherit x y; }
