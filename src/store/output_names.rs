//! The names of some outputs of a derivation, sorted. Mostly there is one, for which a tree would be ten times as large.

use super::derivation::OutputName;

/// Names of outputs, sorted and without duplicates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputNames(Vec<OutputName>);

impl OutputNames {
    /// Adds a name, unless it is there.
    pub fn insert(&mut self, name: &[u8]) {
        let Err(at) = self.0.binary_search_by(|known| (**known).cmp(name)) else { return };
        // Room for what there is and no more.
        self.0.reserve_exact(1);
        self.0.insert(at, name.into());
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|name| &**name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_there_once() {
        let mut names = OutputNames::default();
        assert!(names.is_empty());
        for name in ["out", "dev", "out", "lib", "dev"] {
            names.insert(name.as_bytes());
        }
        assert_eq!(names.iter().collect::<Vec<_>>(), [b"dev", b"lib", b"out"]);
    }
}
