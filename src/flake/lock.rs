//! Lock files: which tree stands for which input. (Nix manual, `nix flake`, "Lock files".)

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::error::{FlakeError, Result};
use super::reference::{FlakeRef, shown};
use crate::eval::references::{InputAttr, InputAttrs};

/// The names that lead from the root to an input.
pub(super) type InputPath = Vec<Vec<u8>>;

/// The oldest and the newest version that can be read, as C++ Nix 2.34 does.
const VERSIONS: std::ops::RangeInclusive<u64> = 5..=7;

/// How deeply inputs may lie in each other; more is a circle.
pub(super) const MOST_NESTED: usize = 200;

/// A graph of inputs: what a lock file says, or what it would have to say.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    /// All nodes; the first is the flake itself.
    pub(super) nodes: Vec<Node>,
}

/// The flake itself.
pub(super) const ROOT: usize = 0;

/// An input, or the flake itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    /// Its own inputs.
    pub(super) inputs: BTreeMap<Vec<u8>, Edge>,
    /// What it was locked to; none for the flake itself.
    pub(super) locked: Option<Locked>,
}

/// What stands for an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edge {
    /// A node of the graph.
    Node(usize),
    /// What this path leads to from the root; an empty one to the root itself.
    Follows(InputPath),
}

/// What an input was locked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Locked {
    /// The very tree.
    pub(super) exact: FlakeRef,
    /// As `flake.nix` has it.
    pub(super) original: FlakeRef,
    /// Has it a `flake.nix`, and is that wanted?
    pub(super) is_flake: bool,
    /// Of a relative one: the flake that it is relative to.
    pub(super) parent: Option<InputPath>,
}

impl Graph {
    /// A graph of the flake alone.
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()] }
    }

    /// Reads a lock file. `file` is its name for messages.
    pub(super) fn read(text: &[u8], file: &str) -> Result<Self> {
        let wrong = |reason: String| FlakeError::Lock { file: file.to_owned(), reason };
        let json: Value = serde_json::from_slice(text)
            .map_err(|error| wrong(format!("it is no JSON: {error}")))?;
        let Value::Object(json) = json else {
            return Err(wrong("it is no JSON object".to_owned()));
        };
        match json.get("version").and_then(Value::as_u64) {
            Some(version) if VERSIONS.contains(&version) => {}
            _ => {
                let version =
                    json.get("version").map_or("none at all".to_owned(), Value::to_string);
                return Err(wrong(format!(
                    "its version is {version}, and those from {} to {} can be read",
                    VERSIONS.start(),
                    VERSIONS.end()
                )));
            }
        }
        let root = json.get("root").and_then(Value::as_str);
        let nodes = json.get("nodes").and_then(Value::as_object);
        let (Some(root), Some(nodes)) = (root, nodes) else {
            return Err(wrong("'root' or 'nodes' is missing".to_owned()));
        };
        let mut reader = Reader { nodes, root, graph: Self::new(), known: BTreeMap::new() };
        reader.inputs(ROOT, root, 0).map_err(wrong)?;
        Ok(reader.graph)
    }

    /// The node that a path leads to from the root.
    pub(super) fn find(&self, path: &[Vec<u8>]) -> Result<Option<usize>> {
        self.find_on(path, &mut Vec::new())
    }

    fn find_on(&self, path: &[Vec<u8>], visited: &mut Vec<InputPath>) -> Result<Option<usize>> {
        if let Some(start) = visited.iter().position(|known| known == path) {
            let mut names: Vec<String> =
                visited.iter().skip(start).map(|path| shown_path(path)).collect();
            names.push(shown_path(path));
            let reason = format!("follow cycle detected: [{}]", names.join(" -> "));
            return Err(FlakeError::Follows { reason });
        }
        visited.push(path.to_vec());
        let mut at = ROOT;
        for name in path {
            at = match self.nodes.get(at).and_then(|node| node.inputs.get(name)) {
                Some(Edge::Node(node)) => *node,
                Some(Edge::Follows(path)) => match self.find_on(path, visited)? {
                    Some(node) => node,
                    None => return Ok(None),
                },
                None => return Ok(None),
            };
        }
        Ok(Some(at))
    }

    /// Fails if an input follows nothing, or itself.
    pub(super) fn check(&self) -> Result<()> {
        self.each_input(ROOT, &mut Vec::new(), &mut |path, edge| {
            let Edge::Follows(target) = edge else { return Ok(()) };
            if self.find(target)?.is_some() {
                return Ok(());
            }
            let (input, target) = (shown_path(path), shown_path(target));
            let reason = format!("input '{input}' follows a non-existent input '{target}'");
            Err(FlakeError::Follows { reason })
        })
    }

    fn each_input(
        &self,
        node: usize,
        path: &mut InputPath,
        visit: &mut dyn FnMut(&InputPath, &Edge) -> Result<()>,
    ) -> Result<()> {
        if path.len() > MOST_NESTED {
            let reason = format!("the inputs at '{}' go round in a circle", shown_path(path));
            return Err(FlakeError::Follows { reason });
        }
        for (name, edge) in self.nodes.get(node).iter().flat_map(|node| &node.inputs) {
            path.push(name.clone());
            visit(path, edge)?;
            if let Edge::Node(inner) = edge {
                self.each_input(*inner, path, visit)?;
            }
            path.pop();
        }
        Ok(())
    }

    /// A path to each node that has one.
    pub(super) fn all_paths(&self) -> BTreeMap<usize, InputPath> {
        let mut all = BTreeMap::new();
        // Graphs that go round in a circle are refused before anybody asks.
        let _ = self.each_input(ROOT, &mut Vec::new(), &mut |path, edge| {
            if let Edge::Node(node) = edge {
                all.entry(*node).or_insert_with(|| path.clone());
            }
            Ok(())
        });
        all
    }

    /// How the inputs of a newer graph differ from these, in lines; nothing if they don't.
    pub(super) fn changes(&self, new: &Self) -> Result<Option<String>> {
        let (old, new) = (self.all_inputs()?, new.all_inputs()?);
        if old == new {
            return Ok(None);
        }
        let mut lines = Vec::new();
        let paths: BTreeSet<&InputPath> = old.keys().chain(new.keys()).collect();
        for path in paths {
            let shown = shown_path(path);
            match (old.get(path), new.get(path)) {
                (None, Some(new)) => lines.push(format!("• Added input '{shown}':\n    {new}")),
                (Some(old), Some(new)) if is_other(old, new) => {
                    lines.push(format!("• Updated input '{shown}':\n    {old}\n  → {new}"));
                }
                (Some(_), None) => lines.push(format!("• Removed input '{shown}'")),
                _ => {}
            }
        }
        Ok(Some(lines.join("\n")))
    }

    /// All inputs below the flake itself by their paths, with what stands for each.
    fn all_inputs(&self) -> Result<BTreeMap<InputPath, Entry>> {
        let mut all = BTreeMap::new();
        self.each_input(ROOT, &mut Vec::new(), &mut |path, edge| {
            let entry = match edge {
                Edge::Node(node) => {
                    Entry::Locked(self.nodes.get(*node).and_then(|node| node.locked.clone()))
                }
                Edge::Follows(target) => Entry::Follows(target.clone()),
            };
            all.insert(path.clone(), entry);
            Ok(())
        })?;
        Ok(all)
    }
}

/// Do two entries stand for different trees?
fn is_other(old: &Entry, new: &Entry) -> bool {
    match (old, new) {
        (Entry::Locked(Some(old)), Entry::Locked(Some(new))) => old.exact != new.exact,
        (old, new) => old != new,
    }
}

/// What stands for an input, without its own inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// A tree.
    Locked(Option<Locked>),
    /// Another input.
    Follows(InputPath),
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Locked(Some(locked)) => write!(f, "'{}'", locked.exact),
            Self::Locked(None) => f.write_str("the flake itself"),
            Self::Follows(path) => write!(f, "follows '{}'", shown_path(path)),
        }
    }
}

/// A path of inputs as it is written: `a/b`.
pub(super) fn shown_path(path: &[Vec<u8>]) -> String {
    path.iter().map(|name| shown(name)).collect::<Vec<_>>().join("/")
}

struct Reader<'j> {
    nodes: &'j Map<String, Value>,
    root: &'j str,
    graph: Graph,
    /// Nodes by their names in the file.
    known: BTreeMap<&'j str, usize>,
}

impl<'j> Reader<'j> {
    fn inputs(
        &mut self,
        node: usize,
        key: &'j str,
        depth: usize,
    ) -> std::result::Result<(), String> {
        if depth > MOST_NESTED {
            return Err(format!("its nodes go round in a circle at '{key}'"));
        }
        let json = self.node(key)?;
        let Some(inputs) = json.get("inputs") else { return Ok(()) };
        let inputs = inputs
            .as_object()
            .ok_or_else(|| format!("the inputs of node '{key}' are no object"))?;
        for (name, target) in inputs {
            let edge = match target {
                Value::String(target) => Edge::Node(self.locked_node(target, depth)?),
                Value::Array(_) => Edge::Follows(path(target).ok_or_else(|| {
                    format!("input '{name}' of node '{key}' follows something that is no path")
                })?),
                _ => return Err(format!("input '{name}' of node '{key}' leads to no node")),
            };
            if let Some(node) = self.graph.nodes.get_mut(node) {
                node.inputs.insert(name.clone().into_bytes(), edge);
            }
        }
        Ok(())
    }

    fn locked_node(&mut self, key: &'j str, depth: usize) -> std::result::Result<usize, String> {
        if key == self.root {
            return Err("it contains a cycle to the root node".to_owned());
        }
        if let Some(known) = self.known.get(key) {
            return Ok(*known);
        }
        let json = self.node(key)?;
        let mut locked = attrs(json, "locked", key)?;
        // Version 5 has a part of the attributes beside the others.
        if json.contains_key("info") {
            locked.extend(attrs(json, "info", key)?);
        }
        let reference =
            |attrs| FlakeRef::from_attrs(attrs).map_err(|error| format!("node '{key}': {error}"));
        let is_flake = match json.get("flake") {
            None => true,
            Some(value) => {
                value.as_bool().ok_or_else(|| format!("'flake' of node '{key}' is no Boolean"))?
            }
        };
        let parent = match json.get("parent") {
            None => None,
            Some(value) => {
                Some(path(value).ok_or_else(|| format!("'parent' of node '{key}' is no path"))?)
            }
        };
        let locked = Locked {
            exact: reference(locked)?,
            original: reference(attrs(json, "original", key)?)?,
            is_flake,
            parent,
        };
        check_locked(&locked.exact, key)?;
        let index = self.graph.nodes.len();
        self.graph.nodes.push(Node { inputs: BTreeMap::new(), locked: Some(locked) });
        self.known.insert(key, index);
        self.inputs(index, key, depth + 1)?;
        Ok(index)
    }

    fn node(&self, key: &str) -> std::result::Result<&'j Map<String, Value>, String> {
        let node =
            self.nodes.get(key).ok_or_else(|| format!("it references the missing node '{key}'"))?;
        node.as_object().ok_or_else(|| format!("node '{key}' is no object"))
    }
}

/// Fails for an entry that does not say which tree it means.
fn check_locked(locked: &FlakeRef, key: &str) -> std::result::Result<(), String> {
    let failed = |error| format!("node '{key}': {error}");
    let certain = locked.relative_path().is_some()
        || locked.input.is_locked().map_err(failed)?
        || locked.input.nar_hash().map_err(failed)?.is_some();
    if certain {
        return Ok(());
    }
    Err(format!("node '{key}' is unlocked: '{locked}' may be another tree tomorrow"))
}

/// A set of attributes of a node.
fn attrs(
    node: &Map<String, Value>,
    name: &str,
    key: &str,
) -> std::result::Result<InputAttrs, String> {
    let wrong = || format!("'{name}' of node '{key}' is missing, or is no set of attributes");
    let set = node.get(name).and_then(Value::as_object).ok_or_else(wrong)?;
    let attrs = set.iter().map(|(name, value)| {
        let value = match value {
            Value::String(text) => InputAttr::Text(text.clone().into_bytes()),
            Value::Bool(value) => InputAttr::Bool(*value),
            Value::Number(number) => InputAttr::Number(number.as_u64()?),
            _ => return None,
        };
        Some((name.clone().into_bytes(), value))
    });
    attrs.collect::<Option<_>>().ok_or_else(wrong)
}

fn path(value: &Value) -> Option<InputPath> {
    let names = value.as_array()?.iter();
    names.map(|name| Some(name.as_str()?.to_owned().into_bytes())).collect()
}
