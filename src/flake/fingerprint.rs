//! What the outcome of an evaluation depends on, in short.

use std::fmt::Write;

use super::Opened;
use super::lock::{Edge, ROOT, shown_path};
use crate::store::{Hash, HashAlgo, HashFormat};

/// The fingerprint of a flake and all its inputs; `None` if one of them is not locked.
pub(super) fn fingerprint(opened: &Opened) -> Option<String> {
    let mut text = String::from("flake;1\n");
    let graph = &opened.resolved.graph;
    for (index, node) in graph.nodes.iter().enumerate() {
        // Trees that were looked at have been hashed, all attributes of `self` are among these.
        match (opened.resolved.places.get(&index), &node.locked) {
            (Some(place), locked) => {
                place.input.nar_hash().ok()??;
                let flake = locked.as_ref().is_none_or(|locked| locked.is_flake);
                writeln!(text, "{index} {:?} {:?} {flake}", place.input.attrs, place.folder)
                    .ok()?;
            }
            (None, Some(locked)) if locked.exact.relative_path().is_some() => {
                let parent = locked.parent.as_deref().unwrap_or_default();
                let (attrs, parent) = (locked.exact.attrs(), shown_path(parent));
                writeln!(text, "{index} {attrs:?} in {parent} {}", locked.is_flake).ok()?;
            }
            (None, Some(locked)) => {
                locked.exact.input.nar_hash().ok()??;
                writeln!(text, "{index} {:?} {}", locked.exact.attrs(), locked.is_flake).ok()?;
            }
            (None, None) => return None,
        }
        for (name, edge) in &node.inputs {
            let name = shown_path(std::slice::from_ref(name));
            match edge {
                Edge::Node(node) => writeln!(text, "  {name} = {node}").ok()?,
                Edge::Follows(path) => writeln!(text, "  {name} = {}", shown_path(path)).ok()?,
            }
        }
    }
    let dir = &opened.locked.dir;
    writeln!(text, "{ROOT} {dir:?} {}", opened.resolved.modified).ok()?;
    let hash = Hash::of(HashAlgo::Sha256, text.as_bytes());
    Some(hash.to_text(HashFormat::Base16, false))
}
