{
  top = import <top.nix>;
  folder = import <within>;
  prefixed = import <named/inner/leaf.nix>;
  wholePrefix = (import <named>).found;
  names = map (p: baseNameOf (toString p)) [ <top.nix> <within> <named> <named/inner> ];
  missing = (builtins.tryEval <not-there>).success;
  missingInPrefix = (builtins.tryEval <named/not-there>).success;
  kind = builtins.typeOf <named>;
  written = <named/inner> + "/leaf.nix" == <named/inner/leaf.nix>;
}
