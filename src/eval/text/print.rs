//! Strings and attribute names as Nix source, the way values are printed.

/// Words that cannot name an attribute without quotes. `or` can.
const KEYWORDS: [&[u8]; 9] =
    [b"if", b"then", b"else", b"assert", b"with", b"let", b"in", b"rec", b"inherit"];

/// Appends a string literal: in quotes, with `"`, `\`, `${`, newline, carriage return and tab escaped and
/// every other byte as it is.
pub fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut plain = 0;
    for (at, &byte) in text.iter().enumerate() {
        let escaped: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            b'$' if text.get(at + 1) == Some(&b'{') => b"\\$",
            _ => continue,
        };
        out.extend_from_slice(&text[plain..at]);
        out.extend_from_slice(escaped);
        plain = at + 1;
    }
    out.extend_from_slice(&text[plain..]);
    out.push(b'"');
}

/// Appends an attribute name, as a string literal unless it can stand as it is ([`is_identifier`]).
pub fn write_attr_name(out: &mut Vec<u8>, name: &[u8]) {
    if is_identifier(name) {
        out.extend_from_slice(name);
    } else {
        write_string(out, name);
    }
}

/// Whether a name needs no quotes: an identifier of the language that is no keyword.
#[must_use]
pub fn is_identifier(name: &[u8]) -> bool {
    let Some((&first, rest)) = name.split_first() else { return false };
    (first.is_ascii_alphabetic() || first == b'_')
        && rest.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'\'' | b'-'))
        && !KEYWORDS.contains(&name)
}
