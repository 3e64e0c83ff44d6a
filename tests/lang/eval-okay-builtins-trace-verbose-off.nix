builtins.traceVerbose (throw "unused") 1
