builtins.fetchClosure { fromStore = "https://example.invalid"; }
