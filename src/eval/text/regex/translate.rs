//! Expressions for the `regex-automata` crate, where its rule (the first way to match, as Perl) gives what
//! libstdc++ gives.

use regex_automata::meta;
use regex_syntax::hir::{Capture, Class, ClassBytes, ClassBytesRange, Hir, Look, Repetition};

use super::byte_set::ByteSet;
use super::parse::{Node, Times};

/// The most an automaton may take; bigger ones are left to the plain matcher.
const SIZE_LIMIT: usize = 1 << 20;

/// A matcher of whole texts.
pub(super) fn full(tree: &Node) -> Option<meta::Regex> {
    build(tree, |body| Hir::concat(vec![Hir::look(Look::Start), body, Hir::look(Look::End)]))
}

/// A matcher for searching.
pub(super) fn search(tree: &Node) -> Option<meta::Regex> {
    if has_contest(tree) { None } else { build(tree, |body| body) }
}

fn build(tree: &Node, wrap: impl Fn(Hir) -> Hir) -> Option<meta::Regex> {
    if tree.has_empty_loop() || has_no_times(tree) {
        return None;
    }
    let config = meta::Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(SIZE_LIMIT))
        .hybrid_cache_capacity(SIZE_LIMIT);
    meta::Builder::new().configure(config).build_from_hir(&wrap(hir(tree))).ok()
}

/// Whether more than one alternative may match in the same place, so that the longer one is to be found.
fn has_contest(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Set(_) | Node::Start | Node::End => false,
        Node::Group(_, inner) | Node::Repeat(inner, _) => has_contest(inner),
        Node::Concat(parts) => parts.iter().any(has_contest),
        Node::Alternate(branches) => {
            let mut seen = ByteSet::default();
            branches.iter().any(|branch| {
                let first = branch.first_bytes();
                let contested = branch.is_nullable() || !first.is_disjoint(seen);
                seen = seen.union(first);
                contested || has_contest(branch)
            })
        }
    }
}

/// Whether something is repeated no times. The crate would drop it, and groups inside of it would then not
/// be counted.
fn has_no_times(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Set(_) | Node::Start | Node::End => false,
        Node::Group(_, inner) => has_no_times(inner),
        Node::Repeat(inner, times) => *times == Times::Between(0, 0) || has_no_times(inner),
        Node::Concat(parts) | Node::Alternate(parts) => parts.iter().any(has_no_times),
    }
}

fn hir(node: &Node) -> Hir {
    let all = |nodes: &[Node]| nodes.iter().map(hir).collect();
    match node {
        Node::Empty => Hir::empty(),
        Node::Set(set) => {
            let range = |byte| ClassBytesRange::new(byte, byte);
            Hir::class(Class::Bytes(ClassBytes::new(set.iter().map(range))))
        }
        Node::Start => Hir::look(Look::Start),
        Node::End => Hir::look(Look::End),
        Node::Group(number, inner) => Hir::capture(Capture {
            // There are fewer groups than states, which are limited.
            index: u32::try_from(*number).unwrap_or(u32::MAX),
            name: None,
            sub: Box::new(hir(inner)),
        }),
        Node::Concat(parts) => Hir::concat(all(parts)),
        Node::Alternate(branches) => Hir::alternation(all(branches)),
        Node::Repeat(inner, times) => {
            let (min, max) = times.bounds();
            Hir::repetition(Repetition { min, max, greedy: true, sub: Box::new(hir(inner)) })
        }
    }
}
