//! Files that sops has encrypted, as far as they can be read without any key: their recipients, and the
//! names of what is in them. Only values are encrypted.

use std::collections::BTreeSet;

use serde_yaml_ng::Value;

/// A secrets file.
#[derive(Debug, Clone)]
pub struct SopsFile {
    value: Value,
    format: Format,
}

/// How sops reads a file, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.yaml`, `.yml`, `.json`: keys within keys.
    Tree,
    /// `.env`, `.ini`: flat, with the metadata as keys of their own.
    Flat,
    /// Everything else is one encrypted lump in JSON.
    Binary,
}

/// Why a file is no secrets file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("malformed: {0}")]
    Malformed(String),
    /// It has no metadata of sops: it is not encrypted.
    #[error("not encrypted with sops")]
    Plain,
}

impl Format {
    /// The format of a file of this name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name.rsplit('.').next() {
            Some("yaml" | "yml" | "json") if name.contains('.') => Self::Tree,
            Some("env" | "ini") if name.contains('.') => Self::Flat,
            _ => Self::Binary,
        }
    }
}

impl SopsFile {
    /// Reads a file of this name.
    pub fn parse(name: &str, content: &[u8]) -> Result<Self, FileError> {
        let format = Format::of(name);
        let text = std::str::from_utf8(content)
            .map_err(|error| FileError::Malformed(error.to_string()))?;
        if format == Format::Flat {
            let has = text.lines().any(|line| line.starts_with("sops_") || line.trim() == "[sops]");
            let value = Value::String(text.to_owned());
            return if has { Ok(Self { value, format }) } else { Err(FileError::Plain) };
        }
        // JSON is YAML.
        let value: Value = serde_yaml_ng::from_str(text)
            .map_err(|error| FileError::Malformed(error.to_string()))?;
        match value.get("sops") {
            Some(Value::Mapping(_)) => Ok(Self { value, format }),
            _ => Err(FileError::Plain),
        }
    }

    /// The age recipients that can open it.
    #[must_use]
    pub fn recipients(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        match &self.value {
            Value::String(text) => {
                // `sops_age__list_0__map_recipient=age1…`, or the same without "sops_" in ini.
                let recipients = text.lines().filter_map(|line| {
                    let (name, value) = line.split_once('=')?;
                    name.trim_end().ends_with("__map_recipient").then(|| value.trim().to_owned())
                });
                found.extend(recipients);
            }
            value => {
                if let Some(sops) = value.get("sops") {
                    collect(sops, &mut found);
                }
            }
        }
        found
    }

    /// Is this key in it? `a/b` is `b` within `a`, as in sops-nix; nothing is the whole file.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        match self.format {
            Format::Binary => true,
            _ if key.is_empty() => true,
            Format::Flat => {
                let text = self.value.as_str().unwrap_or_default();
                let names = text.lines().filter_map(|line| line.split_once('='));
                names.into_iter().any(|(name, _)| name.trim() == key)
            }
            Format::Tree => {
                let words: Vec<&str> = key.split('/').collect();
                words[0] != "sops" && self.at(&words).is_some()
            }
        }
    }

    /// Is there something at this path?
    #[must_use]
    pub fn has_path(&self, path: &[&str]) -> bool {
        self.at(path).is_some()
    }

    fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.value, |value, word| value.get(*word))
    }
}

/// `sops.age[].recipient` and `sops.key_groups[].age[].recipient`.
fn collect(sops: &Value, found: &mut BTreeSet<String>) {
    let entries = sops.get("age").and_then(Value::as_sequence);
    let recipients = entries.into_iter().flatten().filter_map(|entry| entry.get("recipient"));
    found.extend(recipients.filter_map(Value::as_str).map(str::to_owned));
    for group in sops.get("key_groups").and_then(Value::as_sequence).into_iter().flatten() {
        collect(group, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "a:\n  b: ENC[x]\nuser_age_keys:\n  ta_grief: ENC[y]\nsops:\n  age:\n    - recipient: age1x\n      enc: z\n  key_groups:\n    - age: [{recipient: age1y}]\n";

    #[test]
    fn names_and_recipients_are_plain_to_see() {
        let file = SopsFile::parse("x/secrets.yaml", YAML.as_bytes()).unwrap();
        assert_eq!(file.recipients(), ["age1x".to_owned(), "age1y".to_owned()].into());
        assert!(file.has("a/b") && file.has("a") && !file.has("a/c") && !file.has("sops/age"));
        assert!(file.has(""));
        let env = "A=ENC[x]\nsops_age__list_0__map_recipient=age1x\nsops_version=3\n";
        let file = SopsFile::parse("secrets.env", env.as_bytes()).unwrap();
        assert_eq!(file.recipients(), ["age1x".to_owned()].into());
        assert!(file.has("A") && !file.has("B"));
        let binary =
            SopsFile::parse("wg.key", b"{\"data\":\"ENC\",\"sops\":{\"age\":[]}}").unwrap();
        assert!(binary.has("anything"));
    }

    #[test]
    fn what_is_no_secrets_file_says_so() {
        assert_eq!(SopsFile::parse("a.yaml", b"a: b").unwrap_err(), FileError::Plain);
        assert_eq!(SopsFile::parse("a.env", b"A=b").unwrap_err(), FileError::Plain);
        let error = SopsFile::parse("a.yaml", b"a: [").unwrap_err();
        assert!(matches!(error, FileError::Malformed(_)), "{error}");
        assert!(matches!(SopsFile::parse("b", b"\xff"), Err(FileError::Malformed(_))));
    }
}
