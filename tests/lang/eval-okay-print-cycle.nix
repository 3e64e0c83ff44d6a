let set = { inherit set; other = 1; }; in set
