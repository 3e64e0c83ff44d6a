builtins.warn "take care" 1
