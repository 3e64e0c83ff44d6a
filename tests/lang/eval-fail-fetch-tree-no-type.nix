builtins.fetchTree { url = "https://example.invalid"; }
