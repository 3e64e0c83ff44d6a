//! The variables of a derivation: names and values, sorted by name. Names are shared, since nearly all derivations have
//! the same ones, and mostly come in order already.

use std::sync::Arc;

use super::derivation::Bytes;

/// The name of a variable.
pub type VariableName = Arc<[u8]>;

/// Variables, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(Vec<(VariableName, Bytes)>);

impl Variables {
    /// Sets a variable.
    pub fn insert(&mut self, name: VariableName, value: Bytes) {
        if self.0.last().is_none_or(|(last, _)| *last < name) {
            return self.0.push((name, value));
        }
        match self.place(&name) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&Bytes> {
        self.0.get(self.place(name).ok()?).map(|(_, value)| value)
    }

    /// The value of a variable, to be changed.
    pub fn get_mut(&mut self, name: &[u8]) -> Option<&mut Bytes> {
        let at = self.place(name).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Is there a variable of this name?
    #[must_use]
    pub fn contains_key(&self, name: &[u8]) -> bool {
        self.place(name).is_ok()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    fn place(&self, name: &[u8]) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| (**other).cmp(name))
    }
}

impl FromIterator<(VariableName, Bytes)> for Variables {
    fn from_iter<I: IntoIterator<Item = (VariableName, Bytes)>>(variables: I) -> Self {
        let mut all = Self::default();
        variables.into_iter().for_each(|(name, value)| all.insert(name, value));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_sorted_whatever_order_they_come_in() {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let mut variables: Variables = [("b", "1"), ("c", "2"), ("a", "3"), ("b", "4")]
            .map(|(name, value)| (bytes(name).into(), bytes(value).into()))
            .into_iter()
            .collect();
        let all: Vec<_> = variables.iter().collect();
        assert_eq!(all, [(&b"a"[..], &b"3"[..]), (b"b", b"4"), (b"c", b"2")]);
        *variables.get_mut(b"c").unwrap() = bytes("5").into();
        assert_eq!(variables.get(b"c"), Some(&bytes("5").into()));
        assert!(variables.contains_key(b"a") && !variables.contains_key(b"d"));
        assert_eq!(variables.get(b""), None);
        assert_eq!(variables.get_mut(b"bb"), None);
    }
}
