[ (__add 1 2) (__length [ 1 ]) (__typeOf __nixPath) (__isString __nixVersion) (__head [ 5 ]) __storeDir ]
