//! Looking names up in large shapes, where a guess saves the steps of a search, each of which waits for the one
//! before: where the name was, or would have been, the last time. A guess that is wrong is seen to be so, whatever
//! has become of the shape that it was made for, so nothing ever has to be forgotten.

use std::cell::Cell;

use crate::syntax::Symbol;

/// How many guesses there are, as a power of two.
const BITS: u32 = 12;

thread_local! {
    static GUESSES: [Cell<u32>; 1 << BITS] = const { [const { Cell::new(0) }; 1 << BITS] };
}

/// The index of `name` in sorted `names`.
pub(super) fn search(names: &[Symbol], name: Symbol) -> Option<usize> {
    GUESSES.with(|guesses| {
        let guess = &guesses[number_of(names, name)];
        let at = guess.get() as usize;
        match names.get(at) {
            Some(&found) if found == name => return Some(at),
            // It would stand here, if it were there.
            Some(&found) if found > name && (at == 0 || names[at - 1] < name) => return None,
            _ => {}
        }
        let found = names.binary_search(&name);
        let at = found.unwrap_or_else(|before| before);
        guess.set(u32::try_from(at).unwrap_or(u32::MAX));
        found.ok()
    })
}

/// The number of the guess for `name` in `names`.
#[expect(clippy::cast_possible_truncation, reason = "any number will do")]
fn number_of(names: &[Symbol], name: Symbol) -> usize {
    // Multiplying brings what differs to the highest bits.
    let place = (names.as_ptr().addr() >> 3) as u32;
    let mixed = (place ^ (name.index() as u32).rotate_left(16)).wrapping_mul(0x9E37_79B1);
    (mixed >> (u32::BITS - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Symbols;

    #[test]
    fn what_a_guess_gives_is_what_a_search_gives() {
        let mut symbols = Symbols::new();
        let all: Vec<Symbol> =
            (0..6000).map(|n| symbols.intern(format!("name{n}").as_bytes())).collect();
        let every = |step: usize| -> Vec<Symbol> { all.iter().copied().step_by(step).collect() };
        let mut memory = every(1);
        for step in [2, 3, 7, 2] {
            // The same memory, with other names in it.
            let names = every(step);
            memory[..names.len()].copy_from_slice(&names);
            let names = &memory[..names.len()];
            for _ in 0..2 {
                for &name in &all {
                    assert_eq!(search(names, name), names.binary_search(&name).ok());
                }
            }
        }
    }
}
