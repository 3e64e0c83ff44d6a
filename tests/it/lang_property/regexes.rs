//! Calls of `match`, `split` and `replaceStrings` with generated patterns. All patterns are valid ones,
//! since what an invalid one does can't be caught.

use super::tree::{Random, Tree, tree};

fn atom(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 9 } else { 14 }) {
        0..=4 => random.one_of(&["a", "b", "c"]).to_owned(),
        5 => ".".to_owned(),
        6 => random
            .one_of(&["[ab]", "[^a]", "[a-c]", "[^bc]", "[[:alpha:]]", "[b-]", "[]a]"])
            .to_owned(),
        7 => {
            random.one_of(&["-", "\\.", "\\*", "[.]", "x", "\\(", "[[:space:]]", "[\\]"]).to_owned()
        }
        8 => random.one_of(&["ab", "bc", "ca", "aa"]).to_owned(),
        _ => format!("({})", alternatives(random, depth - 1)),
    }
}

fn repeated(random: &mut Random, depth: usize) -> String {
    let atom = atom(random, depth);
    if random.once_in(3) {
        let how = random.one_of(&["*", "+", "?", "{2}", "{1,}", "{1,2}", "{0,3}", "*", "?"]);
        return format!("{atom}{how}");
    }
    atom
}

fn sequence(random: &mut Random, depth: usize) -> String {
    (0..=random.below(4)).map(|_| repeated(random, depth)).collect()
}

fn alternatives(random: &mut Random, depth: usize) -> String {
    let count = [1, 1, 1, 2, 2, 3][random.below(6)];
    let all: Vec<_> = (0..count).map(|_| sequence(random, depth)).collect();
    all.join("|")
}

fn pattern(random: &mut Random) -> String {
    let inner = alternatives(random, 2);
    match random.below(12) {
        0 => format!("^{inner}"),
        1 => format!("{inner}$"),
        _ => inner,
    }
}

fn subject(random: &mut Random) -> String {
    (0..random.below(9))
        .map(|_| {
            random.one_of(&["a", "b", "c", "a", "b", "ab", "abc", "-", ".", "x", "\n", "ä", " "])
        })
        .collect()
}

fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{}\"", escaped.replace("${", "\\${"))
}

/// A call with a pattern and a subject.
pub(super) fn call(random: &mut Random) -> Tree {
    let subject = literal(&subject(random));
    if random.once_in(8) {
        let from = [random.one_of(&["a", "b", "ab", ""]), random.one_of(&["c", "bc", "", "aa"])];
        return tree![
            format!(
                "builtins.replaceStrings [ \"{}\" \"{}\" ] [ \"x\" \"yy\" ] ",
                from[0], from[1]
            ),
            subject
        ];
    }
    let function = random.one_of(&["match", "split"]);
    tree![format!("builtins.{function} "), literal(&pattern(random)), " ", subject]
}
