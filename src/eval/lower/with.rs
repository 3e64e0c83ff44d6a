//! Which variables of a `with` its frame remembers. Each is looked for in one set after the other, seven of them where
//! nixpkgs' module system does it, and found in the same place as long as the frame is the same.

use crate::syntax::Symbol;

/// So many variables are remembered: a slot that is never used again costs memory.
const MOST_SLOTS: u8 = 16;
/// Among so many that are looked for.
const MOST_NAMES: usize = 64;

/// The variables of one `with`.
#[derive(Debug, Default)]
pub(super) struct WithVariables {
    /// Each variable and its slot, 0 for one that was only met once.
    names: Vec<(Symbol, u8)>,
    taken: u8,
}

impl WithVariables {
    /// The slot of the frame for a variable that is met; 0 for none. One that stands in a function is worth a slot at
    /// once (`is_inside`), another one when it is met again.
    pub(super) fn slot_of(&mut self, name: Symbol, is_inside: bool) -> u8 {
        let known = self.names.iter().position(|(other, _)| *other == name);
        let is_again = known.is_some();
        let at = known.unwrap_or_else(|| {
            if self.names.len() < MOST_NAMES {
                self.names.push((name, 0));
            }
            self.names.len() - 1
        });
        match self.names.get_mut(at) {
            Some((other, slot)) if *other == name => {
                if *slot == 0 && (is_inside || is_again) && self.taken < MOST_SLOTS {
                    self.taken += 1;
                    *slot = self.taken;
                }
                *slot
            }
            _ => 0,
        }
    }

    /// How many slots the frame has: the set's, and one for each variable that is remembered.
    pub(super) fn slots(&self) -> u8 {
        self.taken + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Symbols;

    #[test]
    fn what_is_met_once_where_it_stands_takes_no_slot() {
        let mut symbols = Symbols::new();
        let mut name = |text: &str| symbols.intern(text.as_bytes());
        let mut with = WithVariables::default();
        let (a, b) = (name("a"), name("b"));
        assert_eq!((with.slot_of(a, false), with.slot_of(b, true)), (0, 1));
        assert_eq!((with.slot_of(a, false), with.slot_of(b, false)), (2, 1));
        assert_eq!(with.slots(), 3);
        for n in 0..100 {
            with.slot_of(name(&format!("n{n}")), true);
        }
        assert_eq!((with.slots(), with.slot_of(name("n99"), true)), (MOST_SLOTS + 1, 0));
    }
}
