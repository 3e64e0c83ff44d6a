builtins.traceVerbose "said aloud" 1
