//! Reading evaluated values with the option path in hand, so that a value of the wrong shape is
//! reported where the user wrote it. Knows nothing of the options themselves.

use std::str::FromStr;

use serde_json::Value;

use crate::validated::Invalid;

/// How much of a wrong string is shown.
const SHOWN: usize = 80;

/// An option whose value has the wrong shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option} must be {expected}, but it is {found}")]
pub struct DecodeError {
    /// The option's path as the user knows it, such as
    /// `nixosConfigurations.grief.config.disko.devices.disk.main.device`.
    pub option: String,
    /// What was expected, as a noun phrase.
    pub expected: String,
    /// What was found, as a noun phrase.
    pub found: String,
}

/// A value with the path of the option that it belongs to.
#[derive(Debug, Clone)]
pub(super) struct Decoder<'a> {
    option: String,
    value: &'a Value,
}

/// The result of reading one option.
pub(super) type Decoded<T> = Result<T, DecodeError>;

impl<'a> Decoder<'a> {
    pub(super) fn new(option: impl Into<String>, value: &'a Value) -> Self {
        Self { option: option.into(), value }
    }

    /// The option's path.
    pub(super) fn option(&self) -> &str {
        &self.option
    }

    /// The same value under another option's name, where the value was not read at its own place.
    pub(super) fn named(mut self, option: impl Into<String>) -> Self {
        self.option = option.into();
        self
    }

    /// An attribute; `None` where it is missing or null.
    pub(super) fn get(&self, name: &str) -> Decoded<Option<Decoder<'a>>> {
        let Value::Object(object) = self.value else { return Err(self.wrong("a set")) };
        Ok(match object.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => Some(self.child(name, value)),
        })
    }

    /// An attribute that must be there.
    pub(super) fn require(&self, name: &str, expected: &str) -> Decoded<Decoder<'a>> {
        self.get(name)?.ok_or_else(|| DecodeError {
            option: format!("{}.{}", self.option, attribute(name)),
            expected: expected.to_owned(),
            found: "not set".to_owned(),
        })
    }

    /// The attribute at the end of a path, `None` where any part of it is missing.
    pub(super) fn at(&self, path: &[&str]) -> Decoded<Option<Decoder<'a>>> {
        let mut here = self.clone();
        for name in path {
            match here.get(name)? {
                Some(next) => here = next,
                None => return Ok(None),
            }
        }
        Ok(Some(here))
    }

    /// The attribute at the end of a path, read with `read`.
    pub(super) fn read_at<T>(
        &self,
        path: &[&str],
        read: impl FnOnce(&Decoder<'a>) -> Decoded<T>,
    ) -> Decoded<Option<T>> {
        self.at(path)?.as_ref().map(read).transpose()
    }

    /// Every attribute that is not null, in the evaluator's order.
    pub(super) fn entries(&self) -> Decoded<Vec<(&'a str, Decoder<'a>)>> {
        let Value::Object(object) = self.value else { return Err(self.wrong("a set")) };
        let there = object.iter().filter(|(_, value)| !value.is_null());
        Ok(there.map(|(name, value)| (name.as_str(), self.child(name, value))).collect())
    }

    /// Every item of a list.
    pub(super) fn items(&self) -> Decoded<Vec<Decoder<'a>>> {
        let Value::Array(items) = self.value else { return Err(self.wrong("a list")) };
        let item = |(index, value)| Self { option: format!("{}[{index}]", self.option), value };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// Is it a list?
    pub(super) fn is_list(&self) -> bool {
        self.value.is_array()
    }

    /// Is it a set?
    pub(super) fn is_set(&self) -> bool {
        self.value.is_object()
    }

    /// Is it a string?
    pub(super) fn is_string(&self) -> bool {
        self.value.is_string()
    }

    pub(super) fn str(&self) -> Decoded<&'a str> {
        self.value.as_str().ok_or_else(|| self.wrong("a string"))
    }

    pub(super) fn text(&self) -> Decoded<String> {
        self.str().map(str::to_owned)
    }

    pub(super) fn bool(&self) -> Decoded<bool> {
        self.value.as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    pub(super) fn integer(&self) -> Decoded<i64> {
        self.value.as_i64().ok_or_else(|| self.wrong("a whole number"))
    }

    /// A count, which has no sign.
    pub(super) fn count(&self) -> Decoded<u64> {
        self.value.as_u64().ok_or_else(|| self.wrong("a whole number that is not negative"))
    }

    pub(super) fn port(&self) -> Decoded<u16> {
        let port = self.value.as_u64().and_then(|port| u16::try_from(port).ok());
        port.filter(|port| *port != 0).ok_or_else(|| self.wrong("a port (1 to 65535)"))
    }

    /// A size: text such as `8G`, or a number.
    pub(super) fn size(&self) -> Decoded<String> {
        match self.value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) if !number.is_f64() => Ok(number.to_string()),
            _ => Err(self.wrong("a size (a string or a whole number)")),
        }
    }

    /// A list of strings.
    pub(super) fn texts(&self) -> Decoded<Vec<String>> {
        self.items()?.iter().map(Decoder::text).collect()
    }

    /// A string that is parsed into a validated type.
    pub(super) fn parse<T: FromStr<Err = Invalid>>(&self) -> Decoded<T> {
        let text = self.str()?;
        text.parse().map_err(|invalid: Invalid| self.wrong(expected(&invalid)))
    }

    /// The error that this value is not what was expected.
    pub(super) fn wrong(&self, expected: impl Into<String>) -> DecodeError {
        DecodeError {
            option: self.option.clone(),
            expected: expected.into(),
            found: described(self.value),
        }
    }

    fn child(&self, name: &str, value: &'a Value) -> Self {
        Self { option: format!("{}.{}", self.option, attribute(name)), value }
    }
}

/// An attribute's name as one writes it in an option path: quoted where Nix needs it.
pub(super) fn attribute(name: &str) -> String {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-'".contains(c)) {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

/// What a validated type wants, as a noun phrase.
pub(super) fn expected(invalid: &Invalid) -> String {
    let article = if invalid.what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    // "user" begins with the sound of "you".
    let article = if invalid.what.starts_with("user") { "a" } else { article };
    format!("{article} {}: {}", invalid.what, invalid.rule)
}

fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.chars().count() > SHOWN => {
            format!("the string {:?}…", text.chars().take(SHOWN).collect::<String>())
        }
        Value::String(text) => format!("the string {text:?}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a set".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_those_that_one_would_write() {
        let value = json!({ "a": { "x y": [ { "b'": 1 } ] } });
        let root = Decoder::new("top", &value);
        let list = root.at(&["a", "x y"]).unwrap().unwrap();
        let item = &list.items().unwrap()[0];
        let error = item.require("b'", "a string").unwrap().str().unwrap_err();
        assert_eq!(
            error.to_string(),
            "top.a.\"x y\"[0].b' must be a string, but it is the number 1"
        );
    }

    #[test]
    fn null_counts_as_missing_and_a_wrong_parent_is_named() {
        let value = json!({ "a": null, "b": 1 });
        let root = Decoder::new("top", &value);
        assert!(root.at(&["a", "c"]).unwrap().is_none());
        let error = root.at(&["b", "c"]).unwrap_err();
        assert_eq!(error.to_string(), "top.b must be a set, but it is the number 1");
        let error = root.require("a", "a string").unwrap_err();
        assert_eq!(error.to_string(), "top.a must be a string, but it is not set");
    }

    #[test]
    fn long_strings_are_cut_at_a_character() {
        let text = "ä".repeat(500);
        let value = json!(text);
        let error = Decoder::new("top", &value).bool().unwrap_err();
        assert!(error.found.len() < 200, "{}", error.found);
    }

    #[test]
    fn sizes_are_text_or_whole_numbers() {
        for (value, size) in [(json!("8G"), "8G"), (json!(8), "8")] {
            assert_eq!(Decoder::new("size", &value).size().unwrap(), size);
        }
        for value in [json!(8.5), json!(true), json!([])] {
            assert!(Decoder::new("size", &value).size().is_err(), "{value}");
        }
    }
}
