let loop = n: acc: if n == 0 then acc else loop (n - 1) (builtins.seq acc (acc + n)); in loop 4000 0
