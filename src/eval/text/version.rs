//! Versions and package names: `compareVersions`, `splitVersion`, `parseDrvName`.
//!
//! A version is a row of components, each either digits or letters and other signs, with dots and
//! dashes between them (Nix manual, `builtins.compareVersions` and `nix-env --upgrade`).

use std::cmp::Ordering;

/// The components of a version, without the dots and dashes between them.
pub fn components(version: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = version;
    std::iter::from_fn(move || {
        let component = next_component(&mut rest);
        (!component.is_empty()).then_some(component)
    })
}

/// How two versions are ordered. Not an order in the mathematical sense: `"1"` and `"1."` are equal.
#[must_use]
pub fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let (mut left, mut right) = (left, right);
    while !left.is_empty() || !right.is_empty() {
        let (a, b) = (next_component(&mut left), next_component(&mut right));
        if is_less(a, b) {
            return Ordering::Less;
        }
        if is_less(b, a) {
            return Ordering::Greater;
        }
    }
    Ordering::Equal
}

/// A derivation's name cut into package name and version: at the first dash that something other than a
/// letter follows. Without such a dash the version is empty.
#[must_use]
pub fn parse_drv_name(name: &[u8]) -> (&[u8], &[u8]) {
    let dash = name
        .windows(2)
        .position(|pair| matches!(pair, [b'-', next] if !next.is_ascii_alphabetic()));
    match dash.and_then(|at| name.split_at_checked(at)) {
        Some((package, version)) => (package, version.get(1..).unwrap_or_default()),
        None => (name, b""),
    }
}

/// Takes the next component off `rest`; empty at the end.
fn next_component<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let separator = |byte: &u8| matches!(byte, b'.' | b'-');
    let start = rest.iter().position(|byte| !separator(byte)).unwrap_or(rest.len());
    let text = &rest[start..];
    let end = if text.first().is_some_and(u8::is_ascii_digit) {
        text.iter().position(|byte| !byte.is_ascii_digit())
    } else {
        text.iter().position(|byte| byte.is_ascii_digit() || separator(byte))
    };
    let (component, after) = text.split_at(end.unwrap_or(text.len()));
    *rest = after;
    component
}

/// Whether one component comes before another: `pre` before everything, numbers after words, and no
/// component before a number.
fn is_less(left: &[u8], right: &[u8]) -> bool {
    match (number(left), number(right)) {
        (Some(a), Some(b)) => a < b,
        (_, Some(_)) if left.is_empty() => true,
        _ if left == b"pre" => right != b"pre",
        _ if right == b"pre" => false,
        (_, Some(_)) => true,
        (Some(_), _) => false,
        (None, None) => left < right,
    }
}

/// A component's number. One that does not fit C's `int` is a word to Nix.
fn number(component: &[u8]) -> Option<i32> {
    std::str::from_utf8(component).ok()?.parse().ok()
}
