//! Numbers as text: the three ways C++ Nix writes a float, and integers.
//!
//! Printing uses the six significant digits of C++ streams (`%g`), `toString` the six decimals of
//! `std::to_string` (`%f`), `toJSON` the digits that read back as the same float.

mod grisu;
#[cfg(test)]
mod tests;

use std::io::Write as _;

/// An integer in decimal.
#[derive(Debug, Clone, Copy)]
pub struct IntText {
    /// "-9223372036854775808" has 20 bytes.
    digits: [u8; 20],
    start: usize,
}

impl IntText {
    /// The digits of `value`, with a sign if it is negative.
    #[must_use]
    pub fn new(value: i64) -> Self {
        let mut digits = [0u8; 20];
        let mut start = digits.len();
        let mut rest = value.unsigned_abs();
        loop {
            start -= 1;
            // The remainder is below ten.
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            start -= 1;
            digits[start] = b'-';
        }
        Self { digits, start }
    }

    /// The text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.digits[self.start..]
    }
}

/// Appends an integer in decimal.
pub fn write_int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(IntText::new(value).as_bytes());
}

/// Appends a float as printing a value and `builtins.toXML` do: `%g`, so `1.0` is `1` and `1e7` is `1e+07`.
pub fn write_float(out: &mut Vec<u8>, value: f64) {
    if write_not_finite(out, value) {
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let (digits, exponent) = decimal(&format!("{:.5e}", value.abs()));
    let digits = digits.trim_end_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    if (-4..6).contains(&exponent) {
        write_fixed(out, digits, exponent);
    } else {
        write_exponential(out, digits, exponent);
    }
}

/// Appends a float as `builtins.toString` does: `%f`, six decimals however big the number.
pub fn write_float_decimals(out: &mut Vec<u8>, value: f64) {
    if !write_not_finite(out, value) {
        // Writing to a vector does not fail.
        let _ = write!(out, "{value:.6}");
    }
}

/// Appends a float as `builtins.toJSON` does: `1.0`, `0.1`, `1e+20`; what JSON has no word for is `null`.
pub fn write_float_json(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() {
        out.extend_from_slice(b"null");
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    if value == 0.0 {
        out.extend_from_slice(b"0.0");
        return;
    }
    let (digits, exponent) = grisu::digits(value.abs());
    if !(-4..15).contains(&exponent) {
        write_exponential(out, &digits, exponent);
        return;
    }
    write_fixed(out, &digits, exponent);
    let decimals = i32::try_from(digits.len()).unwrap_or(i32::MAX) - 1 - exponent;
    if decimals <= 0 {
        out.extend_from_slice(b".0");
    }
}

/// Appends `inf`, `-inf`, `nan` or `-nan` as C does, and says if the number was one of these.
fn write_not_finite(out: &mut Vec<u8>, value: f64) -> bool {
    if value.is_finite() {
        return false;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    out.extend_from_slice(if value.is_nan() { b"nan" } else { b"inf" });
    true
}

/// The digits and the decimal exponent of a number in Rust's exponential notation.
fn decimal(scientific: &str) -> (String, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

/// Appends `digits` with the point where `exponent` puts it, without a point if nothing follows it.
fn write_fixed(out: &mut Vec<u8>, digits: &str, exponent: i32) {
    let digits = digits.as_bytes();
    let Ok(whole) = usize::try_from(exponent + 1) else {
        out.extend_from_slice(b"0.");
        out.extend((exponent + 1..0).map(|_| b'0'));
        out.extend_from_slice(digits);
        return;
    };
    if whole == 0 {
        out.extend_from_slice(b"0.");
        out.extend_from_slice(digits);
    } else if let Some((before, after)) = digits.split_at_checked(whole) {
        out.extend_from_slice(before);
        if !after.is_empty() {
            out.push(b'.');
            out.extend_from_slice(after);
        }
    } else {
        out.extend_from_slice(digits);
        out.extend((digits.len()..whole).map(|_| b'0'));
    }
}

/// Appends `d.ddde+XX`, the exponent with at least two digits.
fn write_exponential(out: &mut Vec<u8>, digits: &str, exponent: i32) {
    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
    out.extend_from_slice(first.as_bytes());
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest.as_bytes());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(out, "e{sign}{:02}", exponent.unsigned_abs());
}
