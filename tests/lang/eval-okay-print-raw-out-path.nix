{ outPath = "/some/where"; }
