map (n: builtins.readFileType (./files/tree + "/${n}")) [ "a.txt" "b" "link" "dangling" "folder-link" "b/deep/empty" ] ++ [ (builtins.readFileType /dev/null) (builtins.readFileType "/") ]
