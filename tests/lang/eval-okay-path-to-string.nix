{
  toString = toString ./files/plain.txt;
  missing = toString ./missing/file;
  copied = "${./files/plain.txt}";
  copiedFolder = "${./files/tree}";
  copiedFolderPart = "${./files/tree}/a.txt";
  sub = "${./files/tree/b}";
  concat = "x:" + ./files/plain.txt;
}
