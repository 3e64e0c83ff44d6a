# Strings.
{ lib }:
let
  inherit (builtins) stringLength substring;
in
rec {
  inherit (builtins)
    baseNameOf
    compareVersions
    concatStringsSep
    dirOf
    fromJSON
    isString
    match
    parseDrvName
    readFile
    replaceStrings
    split
    storeDir
    stringLength
    substring
    toJSON
    typeOf
    unsafeDiscardStringContext
    ;

  concatStrings = concatStringsSep "";
  concatMapStrings = f: list: concatStrings (map f list);
  concatMapStringsSep =
    sep: f: list:
    concatStringsSep sep (map f list);
  concatImapStrings = f: list: concatStrings (lib.imap1 f list);
  concatImapStringsSep =
    sep: f: list:
    concatStringsSep sep (lib.imap1 f list);
  concatMapAttrsStringSep =
    sep: f: attrs:
    concatStringsSep sep (lib.mapAttrsToList f attrs);
  concatLines = concatMapStrings (line: line + "\n");
  intersperse =
    sep: list:
    if list == [ ] then
      [ ]
    else
      [ (builtins.head list) ]
      ++ builtins.concatMap (x: [
        sep
        x
      ]) (builtins.tail list);

  optionalString = condition: s: if condition then s else "";
  hasPrefix = prefix: s: substring 0 (stringLength prefix) s == prefix;
  hasSuffix =
    suffix: s:
    let
      n = stringLength s - stringLength suffix;
    in
    n >= 0 && substring n (-1) s == suffix;
  hasInfix =
    infix: s:
    builtins.length (splitString infix s) > 1;
  removePrefix = prefix: s: if hasPrefix prefix s then substring (stringLength prefix) (-1) s else s;
  removeSuffix =
    suffix: s: if hasSuffix suffix s then substring 0 (stringLength s - stringLength suffix) s else s;

  stringToCharacters = s: builtins.genList (n: substring n 1 s) (stringLength s);
  stringAsChars = f: s: concatMapStrings f (stringToCharacters s);
  splitString =
    sep: s:
    builtins.filter builtins.isString (
      builtins.split (escapeRegex (unsafeDiscardStringContext sep)) (unsafeDiscardStringContext s)
    );
  escape = chars: replaceStrings chars (map (c: "\\" + c) chars);
  escapeRegex = escape (stringToCharacters "\\[{()^$?*+|.");
  escapeShellArg =
    arg:
    let
      s = toString arg;
    in
    if match "[[:alnum:],._+:@%/-]+" s == null then
      "'${replaceStrings [ "'" ] [ "'\\''" ] s}'"
    else
      s;
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  escapeNixString = s: replaceStrings [ "$" ] [ "\\$" ] (builtins.toJSON s);
  escapeNixIdentifier = s: if match "[a-zA-Z_][a-zA-Z0-9_'-]*" s != null then s else escapeNixString s;
  isStringLike =
    x:
    builtins.isString x
    || builtins.isPath x
    || (builtins.isAttrs x && (x ? outPath || x ? __toString));
  isConvertibleWithToString =
    x:
    x == null
    || builtins.elem (builtins.typeOf x) [
      "string"
      "path"
      "int"
      "float"
      "bool"
    ]
    || (builtins.isAttrs x && (x ? outPath || x ? __toString))
    || (builtins.isList x && builtins.all isConvertibleWithToString x);
  isStorePath = x: isStringLike x && match "${builtins.storeDir}/[0-9a-z]{32}-[^/]+" (toString x) != null;

  trim =
    s:
    let
      m = match "[ \t\r\n]*(.*[^ \t\r\n])[ \t\r\n]*" s;
    in
    if m == null then "" else builtins.head m;
  lowerChars = stringToCharacters "abcdefghijklmnopqrstuvwxyz";
  upperChars = stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  toLower = replaceStrings upperChars lowerChars;
  toUpper = replaceStrings lowerChars upperChars;
  toInt =
    s:
    let
      m = match "[[:space:]]*(-?(0|[1-9][0-9]*))[[:space:]]*" s;
    in
    if m == null then
      throw "toInt: ${escapeNixString s} is not a whole number in base 10 without leading zeros"
    else
      builtins.fromJSON (builtins.head m);
  toIntBase10 =
    s:
    let
      m = match "[[:space:]]*0*(0|[1-9][0-9]*)[[:space:]]*" s;
    in
    if m == null then
      throw "toIntBase10: ${escapeNixString s} is not a whole number in base 10"
    else
      builtins.fromJSON (builtins.head m);
  fixedWidthString =
    width: filler: s:
    let
      missing = width - stringLength s;
    in
    if missing <= 0 then s else filler + fixedWidthString (width - stringLength filler) filler s;
  fixedWidthNumber = width: n: fixedWidthString width "0" (toString n);
  toHexString =
    n:
    let
      digits = stringToCharacters "0123456789ABCDEF";
      go = m: if m == 0 then "" else go (m / 16) + builtins.elemAt digits (lib.mod m 16);
    in
    if n == 0 then "0" else go n;
  replaceString = from: to: replaceStrings [ from ] [ to ];
  nameFromURL = url: sep: builtins.head (splitString sep (lib.last (splitString "/" url)));
  getName = x: if builtins.isString x then (parseDrvName x).name else x.pname or (parseDrvName x.name).name;
  getVersion =
    x: if builtins.isString x then (parseDrvName x).version else x.version or (parseDrvName x.name).version;

  makeSearchPath =
    subDir: paths:
    concatStringsSep ":" (map (path: "${path}/${subDir}") (builtins.filter (x: x != null) paths));
  makeSearchPathOutput = output: subDir: paths: makeSearchPath subDir (map (lib.getOutput output) paths);
  makeBinPath = makeSearchPathOutput "bin" "bin";
  makeLibraryPath = makeSearchPathOutput "lib" "lib";

  toShellVar =
    name: value:
    if builtins.isList value then
      "declare -a ${name}=(${escapeShellArgs value})"
    else if builtins.isAttrs value && !isStringLike value then
      "declare -A ${name}=(${
        concatStringsSep " " (lib.mapAttrsToList (n: v: "[${escapeShellArg n}]=${escapeShellArg v}") value)
      })"
    else
      "${name}=${escapeShellArg value}";
  toShellVars = vars: concatStringsSep "\n" (lib.mapAttrsToList toShellVar vars);
}
