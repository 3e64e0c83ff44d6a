map (args: (derivation { name = "a"; system = "s"; builder = "b"; inherit args; }).drvPath) [ [ ] [ "a" 1 true null 1.5 ./files/plain.txt [ "x" "y" ] ] ]
