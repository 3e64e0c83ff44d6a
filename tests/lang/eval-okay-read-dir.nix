with builtins; { tree = readDir ./files/tree; string = readDir (toString ./files/tree/b); link = readDir ./files/tree/folder-link; root = (readDir /.) ? etc; }
