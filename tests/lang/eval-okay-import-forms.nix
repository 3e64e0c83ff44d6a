{
  folder = import ./files/dir;
  folderString = import (toString ./files/dir);
  file = import ./files/function.nix { y = 2; };
  named = import ./files/named/inner/leaf.nix;
  lazy = (import ./files/throws.nix).fine;
  cached = import ./files/function.nix == import ./files/function.nix;
  sameSet = (import ./files/position.nix).here == (import ./files/position.nix).here;
  mapped = map import [ ./files/dir ./files/search/top.nix ];
  functor = builtins.typeOf (import ./files/function.nix);
}
