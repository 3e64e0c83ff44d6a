//! Programs that are spoilt: with a value of the wrong kind somewhere, or with words out of place.

use super::Programs;
use crate::lang_property::tree::{Part, Tree, tree};

impl Programs {
    /// A program in which some expressions are not of the kind that belongs there.
    pub(in crate::lang_property) fn odd(&mut self) -> Tree {
        let program = self.typed();
        let (old, new) = (self.kind(1), self.kind(1));
        let stranger = self.literal(&new);
        let spots = count(&program);
        if spots < 2 {
            return tree!["(", program, " + ", self.literal(&old), ")"];
        }
        let spot = 1 + self.random.below(spots - 1);
        replaced(&program, spot, &stranger)
    }

    /// A program with a word or two missing, doubled or out of place.
    pub(in crate::lang_property) fn damaged(&mut self) -> Tree {
        let text = self.typed().to_string();
        let mut words: Vec<&str> = split_words(&text);
        for _ in 0..=self.random.below(2) {
            if words.is_empty() {
                break;
            }
            let at = self.random.below(words.len());
            match self.random.below(4) {
                0 => _ = words.remove(at),
                1 => words.insert(at, words[at]),
                2 => {
                    let other = self.random.below(words.len());
                    words.swap(at, other);
                }
                _ => {
                    let extra = [
                        "(", ")", "{", "}", "[", "]", ";", ":", "=", "\"", "''", "${", "or", "rec",
                        "let", "in", ".", "?", "@", "...", "/*", "//", "-", "!",
                    ];
                    words.insert(at, extra[self.random.below(extra.len())]);
                }
            }
        }
        tree![words.concat()]
    }
}

/// The number of expressions in a program.
fn count(tree: &Tree) -> usize {
    let below = tree.0.iter().map(|part| match part {
        Part::Tree(tree) => count(tree),
        Part::Text(_) => 0,
    });
    1 + below.sum::<usize>()
}

/// The program with its expression of that number replaced.
fn replaced(tree: &Tree, mut number: usize, new: &Tree) -> Tree {
    if number == 0 {
        return new.clone();
    }
    number -= 1;
    let mut copy = tree.clone();
    for part in &mut copy.0 {
        let Part::Tree(inner) = part else { continue };
        let inside = count(inner);
        if number < inside {
            *inner = replaced(inner, number, new);
            break;
        }
        number -= inside;
    }
    copy
}

/// Words, blanks and single signs, which together are the text.
fn split_words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_ascii_alphanumeric();
        let end = if word(first) {
            rest.find(|c| !word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        words.push(&rest[..end]);
        rest = &rest[end..];
    }
    words
}
