let x = { inherit nowhere; }; in x
