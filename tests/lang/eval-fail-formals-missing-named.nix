let needsTwo = { first, second }: first; in needsTwo { first = 1; }
