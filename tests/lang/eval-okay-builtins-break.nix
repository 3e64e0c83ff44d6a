[ (builtins.break 1) (builtins.break { a = 1; }).a ]
