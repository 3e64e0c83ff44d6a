"no quotes, ${"interpolated"} \"quoted\"\nand no newline at the end"
