{ x ? 1, y ? x + 1, z ? y + 1 }: { inherit x y z; }
