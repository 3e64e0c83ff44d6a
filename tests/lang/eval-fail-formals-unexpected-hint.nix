({ verbose ? true }: verbose) { verbos = 1; }
