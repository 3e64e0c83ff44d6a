with builtins; let
  file = toFile "f" "x";
  c = s: length (attrNames (getContext s));
in {
  plus = c ("a" + file);
  interpolation = c "a${file}b";
  substring = c (substring 0 3 file);
  substringEmpty = c (substring 0 0 file);
  replace = c (replaceStrings [ "x" ] [ "y" ] file);
  replaceWith = c (replaceStrings [ "x" ] [ file ] "axb");
  replaceUnused = c (replaceStrings [ "q" ] [ file ] "axb");
  concatStringsSep = [ (c (concatStringsSep "," [ "a" file ])) (c (concatStringsSep file [ "a" "b" ])) (c (concatStringsSep file [ "a" ])) (c (concatStringsSep file [ ])) ];
  toString = c (toString file);
  toStringList = c (toString [ 1 file ]);
  baseName = c (baseNameOf file);
  dirOf = c (dirOf file);
  toJSON = c (toJSON { a = [ file ]; });
  toXML = c (toXML file);
  match = map c (match "(.)(.*)" file);
  split = map (x: if isList x then map c x else c x) (split "(s)" "a${file}");
  splitVersion = map c (splitVersion "1.2");
  attrName = map c (attrNames { ${unsafeDiscardStringContext file} = 1; });
  compare = file == unsafeDiscardStringContext file;
  stringLength = stringLength file == stringLength (unsafeDiscardStringContext file);
  hashString = c (hashString "md5" file);
  path = c (path { path = ./files/plain.txt; });
  readFile = c (readFile ./files/plain.txt);
  throughSet = c "${{ outPath = file; }}";
  indented = c ''
    ${file}
  '';
}
