//! Strings as JSON.

use super::{WriteError, invalid_byte};

/// Appends a string in quotes. Control characters, `"` and `\` are escaped, everything else stays as it is.
///
/// # Errors
///
/// If the text is not UTF-8; `out` then ends with the opening quote.
pub fn write_string(out: &mut Vec<u8>, text: &[u8]) -> Result<(), WriteError> {
    out.reserve(text.len() + 2);
    out.push(b'"');
    if let Err(error) = std::str::from_utf8(text) {
        return Err(match invalid_byte(text, error) {
            Some(index) => {
                WriteError::InvalidByte { index, byte: text.get(index).copied().unwrap_or(0) }
            }
            None => WriteError::Incomplete { last: text.last().copied().unwrap_or(0) },
        });
    }
    let mut plain = 0;
    for (at, &byte) in text.iter().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text[plain..at]);
        plain = at + 1;
        write_escape(out, byte);
    }
    out.extend_from_slice(&text[plain..]);
    out.push(b'"');
    Ok(())
}

/// Appends the escape of a byte: the short one if there is one.
fn write_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0C => b'f',
        b'\r' => b'r',
        _ => {
            let hex = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&[hex(byte >> 4), hex(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
