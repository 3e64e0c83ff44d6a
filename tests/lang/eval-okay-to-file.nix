let a = builtins.toFile "a.txt" "contents"; in {
  inherit a;
  empty = builtins.toFile "empty" "";
  referring = builtins.toFile "b" "refers to ${a}";
  withFile = builtins.toFile "c" "refers to ${./files/plain.txt}";
  sameAgain = builtins.toFile "a.txt" "contents" == a;
  context = builtins.getContext (builtins.toFile "d" "x");
}
