//! Numbers, booleans, dates and times.

use super::Toml;

const BAD_INT: &str = "invalid integer";
const BAD_FLOAT: &str = "invalid float";
const BAD_TIME: &str = "invalid date or time";

/// How far a scalar extends. The blank of a date that goes on with a time belongs to it.
pub(super) fn length(text: &str) -> usize {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+-_.:".contains(&byte);
    let word = |from: usize| text.bytes().skip(from).take_while(|byte| is_part(*byte)).count();
    let first = word(0);
    match text.as_bytes().get(first..) {
        Some([b' ', hour @ b'0'..=b'9', ..])
            if first == 10 && hour.is_ascii_digit() && text.as_bytes().get(4) == Some(&b'-') =>
        {
            first + 1 + word(first + 1)
        }
        _ => first,
    }
}

/// Parses a scalar.
pub(super) fn parse(text: &str) -> Result<Toml, &'static str> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let bytes = text.as_bytes();
    match (text, unsigned) {
        ("", _) => Err("expected a value"),
        ("true", _) => Ok(Toml::Bool(true)),
        ("false", _) => Ok(Toml::Bool(false)),
        (_, "inf" | "nan") => float(text),
        _ if bytes.get(4) == Some(&b'-') && bytes.iter().take(4).all(u8::is_ascii_digit) => {
            date_time(text).map(Toml::Timestamp).ok_or(BAD_TIME)
        }
        _ if bytes.get(2) == Some(&b':') => {
            let (time, rest) = time(text).ok_or(BAD_TIME)?;
            if rest.is_empty() { Ok(Toml::Timestamp(time)) } else { Err(BAD_TIME) }
        }
        _ if text.starts_with("0x") => radix(text, 16),
        _ if text.starts_with("0o") => radix(text, 8),
        _ if text.starts_with("0b") => radix(text, 2),
        _ if unsigned.contains(['.', 'e', 'E']) => decimal_float(text, unsigned),
        _ if is_whole(unsigned) => {
            text.replace('_', "").parse().map(Toml::Int).map_err(|_| BAD_INT)
        }
        _ => Err(BAD_INT),
    }
}

/// An integer after `0x`, `0o` or `0b`.
fn radix(text: &str, radix: u32) -> Result<Toml, &'static str> {
    let digits = text.get(2..).unwrap_or_default();
    if !are_digits(digits, radix) {
        return Err(BAD_INT);
    }
    i64::from_str_radix(&digits.replace('_', ""), radix).map(Toml::Int).map_err(|_| BAD_INT)
}

/// A float with a fraction or an exponent.
fn decimal_float(text: &str, unsigned: &str) -> Result<Toml, &'static str> {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    let valid =
        is_whole(whole) && [fraction, exponent].into_iter().flatten().all(|d| are_digits(d, 10));
    if valid { float(text) } else { Err(BAD_FLOAT) }
}

fn float(text: &str) -> Result<Toml, &'static str> {
    let value: f64 = text.replace('_', "").parse().map_err(|_| BAD_FLOAT)?;
    if value.is_infinite() && !text.ends_with("inf") {
        return Err("float out of range");
    }
    Ok(Toml::Float(value))
}

/// Whether these are the digits of a decimal integer: none but zero begins with zero.
fn is_whole(text: &str) -> bool {
    are_digits(text, 10) && (text.len() == 1 || !text.starts_with('0'))
}

/// Digits, perhaps with single underscores between them.
fn are_digits(text: &str, radix: u32) -> bool {
    text.split('_').all(|part| !part.is_empty() && part.chars().all(|digit| digit.is_digit(radix)))
}

/// A date, perhaps with a time and an offset.
fn date_time(text: &str) -> Option<String> {
    let (date, rest) = text.split_at_checked(10)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) {
        return None;
    }
    if rest.is_empty() {
        return Some(date.to_owned());
    }
    let (time, offset) = time(rest.strip_prefix(['T', 't', ' '])?)?;
    Some(format!("{date}T{time}{}", self::offset(offset)?))
}

/// A time's offset, if it has one. toml11 takes 24 hours and 60 minutes too.
fn offset(text: &str) -> Option<String> {
    if matches!(text, "" | "Z" | "z") {
        return Some(text.to_ascii_uppercase());
    }
    let (sign, magnitude) =
        text.split_at_checked(1).filter(|(sign, _)| matches!(*sign, "+" | "-"))?;
    let [hours, minutes] = numbers(magnitude, ':', [2, 2])?;
    if hours > 24 || minutes > 60 {
        return None;
    }
    let minutes = hours * 60 + minutes;
    Some(if minutes == 0 {
        "Z".into()
    } else {
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    })
}

/// A time with its fraction padded to milli-, micro- or nanoseconds, and what follows it.
fn time(text: &str) -> Option<(String, &str)> {
    let (time, rest) = text.split_at_checked(8)?;
    let [hours, minutes, seconds] = numbers(time, ':', [2, 2, 2])?;
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let Some(fraction) = rest.strip_prefix('.') else { return Some((time.to_owned(), rest)) };
    let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = fraction.split_at_checked(length).filter(|_| length > 0)?;
    // Nanoseconds at most; no digits if all are zero.
    let digits = digits.get(..9).unwrap_or(digits).trim_end_matches('0');
    if digits.is_empty() {
        return Some((time.to_owned(), rest));
    }
    let width = digits.len().next_multiple_of(3);
    Some((format!("{time}.{digits:0<width$}"), rest))
}

/// Numbers of fixed width with a sign between them.
fn numbers<const N: usize>(text: &str, between: char, widths: [usize; N]) -> Option<[u32; N]> {
    let mut parts = text.split(between);
    let mut found = [0; N];
    for (number, width) in found.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width)?;
        *number = part.parse().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()))?;
    }
    parts.next().is_none().then_some(found)
}
