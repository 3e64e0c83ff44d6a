{ before = builtins.readFile <a.txt>; prefixed = import <extra>; stillThere = import <top.nix>; nixPath = map (e: e.prefix) builtins.nixPath; }
