builtins.replaceStrings [ ] [ ] 1
