//! Reading and parsing on the other thread.

use super::Ready;
use super::queue::{Shared, Task};
use crate::eval::io::read_plain;
use crate::syntax::{ApartParser, Features, Leads};

/// Parses what is wanted until there is no more.
pub(super) fn run(shared: &Shared, features: Features) {
    let mut parser = ApartParser::new(features);
    while let Some(task) = shared.next() {
        match task {
            Task::Parse(path, most) => {
                let file = parse(&mut parser, &path, most);
                shared.finished(&path, file);
            }
            Task::Collect(path) => {
                let text = read_plain(&path, usize::MAX);
                if let Some((_, leads)) = text.and_then(|text| parser.parse(&text).ok()) {
                    shared.collected(&path, leads);
                }
            }
        }
    }
}

/// A parsed file and what it leads to; nothing if there is no such file, it is longer than `most`, or there is
/// an error in it: whoever wants it will find that out again.
fn parse(parser: &mut ApartParser, path: &[u8], most: usize) -> Option<(Box<Ready>, Leads)> {
    let text = read_plain(path, most)?;
    let (parsed, mut leads) = parser.parse(&text).ok()?;
    let wanted = std::mem::take(&mut leads.wanted);
    Some((Box::new(Ready { text: text.into(), parsed, wanted }), leads))
}
