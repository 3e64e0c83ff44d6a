[ (let { a = 1; body = a + b; b = 2; }) (let { body = { inherit x; }; x = "in"; }) ]
