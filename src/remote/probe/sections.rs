//! The answer of the script: lines, each with the name of its section in front.

use std::collections::BTreeMap;

use super::{ProbeError, wrong};

/// The lines of each section.
pub(super) struct Sections<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Sections<'a> {
    pub(super) fn new(answer: &'a str) -> Self {
        let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for line in answer.lines() {
            if let Some((name, rest)) = line.split_once(' ') {
                sections.entry(name).or_default().push(rest);
            }
        }
        Self(sections)
    }

    pub(super) fn lines(&self, name: &str) -> Vec<&'a str> {
        self.0.get(name).cloned().unwrap_or_default()
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|lines| lines.join("\n"))
    }

    pub(super) fn first(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(|lines| lines.first().copied()).map(str::trim)
    }

    pub(super) fn needed(&self, name: &'static str) -> Result<&'a str, ProbeError> {
        self.first(name).ok_or_else(|| wrong(name, "it is missing"))
    }

    /// The lines of a section as a map from their first word to the rest.
    pub(super) fn pairs(&self, name: &str) -> BTreeMap<&'a str, &'a str> {
        self.lines(name).into_iter().filter_map(|line| line.split_once(' ')).collect()
    }
}

/// Reads os-release(5): assignments as in a shell, with quotes and backslashes.
pub(super) fn os_release(lines: &[&str]) -> BTreeMap<String, String> {
    let assignment = |line: &&str| -> Option<(String, String)> {
        let (key, value) = line.trim().split_once('=')?;
        (!key.starts_with('#')).then(|| (key.to_owned(), unquoted(value)))
    };
    lines.iter().filter_map(assignment).collect()
}

fn unquoted(value: &str) -> String {
    let inside = |quote: char| value.strip_prefix(quote).and_then(|v| v.strip_suffix(quote));
    if let Some(text) = inside('\'') {
        return text.to_owned();
    }
    let mut text = String::new();
    let mut chars = inside('"').unwrap_or(value).chars();
    while let Some(c) = chars.next() {
        text.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_is_read_as_a_shell_would() {
        let lines =
            ["# ID=no", "", "ID=nixos", "VARIANT_ID='installer'", r#"PRETTY_NAME="a \"b\"""#];
        let release = os_release(&lines);
        assert_eq!(release["ID"], "nixos");
        assert_eq!(release["VARIANT_ID"], "installer");
        assert_eq!(release["PRETTY_NAME"], r#"a "b""#);
        assert_eq!(release.len(), 3);
    }
}
