let del = builtins.fromJSON ''"\u007f\u0080\u2028"''; in [ del (builtins.fromJSON ''"\u0001\u001f\b\f"'') "</script>" ]
