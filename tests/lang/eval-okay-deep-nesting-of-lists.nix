let wrap = n: v: if n == 0 then v else wrap (n - 1) [ v ]; depth = v: if v == [ ] then 0 else 1 + depth (builtins.head v); in depth (wrap 500 [ ])
