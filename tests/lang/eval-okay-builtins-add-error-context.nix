with builtins; [ (addErrorContext "unused" 1) (addErrorContext (throw "not even forced") 2) ]
