x: [ "plain" "esc \" \\ \n \t \r \$ \${" "a${x}b" "${x}" "" ''ind'' ''
  two
    lines ${x}
'' "$${x}" ''$${x} ''${x} ''\n'' "${"a"}" "a${"b"}" ]
