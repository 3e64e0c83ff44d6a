let x = "X"; n = { name = "N"; }; in [
  "${x}" "a${x}b${x}c" "${"nested ${"deep ${x}"}"}" "${n.name}" "${if true then "a" else "b"}" "${let y = "z"; in y}"
  "${"}"}" "${{ a = "brace"; }.a}" "\${x}" "$${x}" "${''ind''}" "${x}${x}" "a${"" + x}" "${n."name"}"
]
