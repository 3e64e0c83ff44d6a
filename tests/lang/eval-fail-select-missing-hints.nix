{ aab = 1; aac = 2; aad = 3; }.aae
