# Small functions that the other files share. Only builtins: the machine works with any `lib`.
rec {
  # The value at a path of attribute names; the default if it is not there or null.
  get =
    set: path: default:
    if path == [ ] then
      (if set == null then default else set)
    else if builtins.isAttrs set && set ? ${builtins.head path} then
      get set.${builtins.head path} (builtins.tail path) default
    else
      default;

  hasContent = value: value != null && value != "" && value != [ ];

  optional = condition: value: if condition then [ value ] else [ ];
  optionals = condition: values: if condition then values else [ ];

  # [ { name; value; } ] of an attribute set, by name.
  pairs =
    set:
    builtins.map (name: {
      inherit name;
      value = set.${name};
    }) (builtins.attrNames set);

  hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    let
      length = builtins.stringLength text;
      wanted = builtins.stringLength suffix;
    in
    length >= wanted && builtins.substring (length - wanted) wanted text == suffix;

  # Rows of words as lines with a tab between the words; `-` stands for an empty word, since the
  # shell's `read` takes several tabs for one.
  table =
    rows:
    builtins.concatStringsSep "" (
      builtins.map (
        row:
        builtins.concatStringsSep "\t" (
          builtins.map (
            word:
            let
              text = builtins.toString word;
            in
            if text == "" then
              "-"
            else if builtins.match ".*[\t\n].*" text != null then
              throw "a tab or a line break in ${builtins.toJSON text}"
            else
              text
          ) row
        )
        + "\n"
      ) rows
    );

  # A value as sshd, systemd or a `key = value` file writes it.
  word =
    value:
    if value == true then
      "yes"
    else if value == false then
      "no"
    else
      builtins.toString value;

  lines = builtins.concatStringsSep "\n";
}
