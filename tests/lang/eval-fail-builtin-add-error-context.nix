builtins.addErrorContext "while doing something of interest" (throw "the failure")
