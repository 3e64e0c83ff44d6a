fetchTarball { url = "https://example.invalid/x.tar.gz"; nonsense = 1; }
