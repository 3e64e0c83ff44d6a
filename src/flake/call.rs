//! From a flake whose inputs are known to its value: `self`, with outputs that are evaluated when they
//! are wanted.

use super::Opened;
use super::error::FlakeError;
use super::lock::{Edge, Locked, ROOT};
use super::reference::shown;
use crate::eval::Eval;
use crate::eval::error::{Error, ErrorKind, Result};
use crate::eval::position::{Origin, Pos};
use crate::eval::references::{Input, TreeFacts, set_text, tree_attrs};
use crate::eval::value::{AttrsBuilder, Value};
use crate::store::StorePath;

/// The function that ties flakes together.
const CALL: &[u8] = include_bytes!("call-flake.nix");
/// What messages call its file.
const CALL_FILE: Origin = Origin::Internal("«flakes-internal»/call-flake.nix");

/// The value of a flake.
pub(super) fn call<'a>(opened: &Opened, eval: &mut Eval<'a>) -> Result<Value<'a>> {
    let mut nodes = AttrsBuilder::with_capacity(opened.resolved.graph.nodes.len());
    for node in 0..opened.resolved.graph.nodes.len() {
        let name = eval.symbols.intern(key(node).as_bytes());
        let value = Caller { opened, eval }.node(node)?;
        nodes.add(name, value);
    }
    for (path, name) in opened.finder.mounts.names() {
        let folder = opened.finder.store.to_absolute(&path);
        eval.sources.show_as(&folder, &name);
    }
    opened.finder.mounts.pure.set(eval.settings.pure);
    let nodes = Value::Attrs(nodes.build(eval.arena));
    let root = eval.string(key(ROOT).as_bytes());
    let function = eval.eval_string(CALL, b"/", CALL_FILE)?;
    eval.call(function, &[nodes, root], Pos::NONE)
}

fn key(node: usize) -> String {
    format!("{node}")
}

struct Caller<'c, 'a> {
    opened: &'c Opened,
    eval: &'c mut Eval<'a>,
}

impl<'a> Caller<'_, 'a> {
    /// What the function is told of a node.
    fn node(&mut self, index: usize) -> Result<Value<'a>> {
        let resolved = &self.opened.resolved;
        let Some(node) = resolved.graph.nodes.get(index) else { return Ok(Value::Null) };
        let mut set = AttrsBuilder::with_capacity(5);
        let is_flake = node.locked.as_ref().is_none_or(|locked| locked.is_flake);
        self.add(&mut set, "isFlake", Value::Bool(is_flake));
        let folder = match (resolved.places.get(&index), &node.locked) {
            (Some(place), _) => {
                let mut input = place.input.clone();
                if index == ROOT && resolved.modified {
                    // What is evaluated is not what was committed.
                    for name in [&b"rev"[..], b"revCount"] {
                        input.attrs.remove(name);
                    }
                }
                let info = self.source_info(&place.path, &input)?;
                self.add(&mut set, "sourceInfo", info);
                below(&place.folder)
            }
            (None, Some(locked)) => self.locked(&mut set, index, locked)?,
            (None, None) => Vec::new(),
        };
        let folder = self.eval.string(&folder);
        self.add(&mut set, "folder", folder);
        let mut inputs = AttrsBuilder::with_capacity(node.inputs.len());
        for (name, edge) in &node.inputs {
            let target = match edge {
                Edge::Node(node) => Some(*node),
                Edge::Follows(path) => resolved.graph.find(path).map_err(failed)?,
            };
            let Some(target) = target else { continue };
            let name = self.eval.symbols.intern(name);
            let target = self.eval.string(key(target).as_bytes());
            inputs.add(name, target);
        }
        let inputs = Value::Attrs(inputs.build(self.eval.arena));
        self.add(&mut set, "inputs", inputs);
        Ok(Value::Attrs(set.build(self.eval.arena)))
    }

    /// Says where a locked input is, and returns the folder in it.
    fn locked(
        &mut self,
        set: &mut AttrsBuilder<'a>,
        index: usize,
        locked: &Locked,
    ) -> Result<Vec<u8>> {
        let (opened, reference) = (self.opened, &locked.exact);
        if let Some(path) = reference.relative_path() {
            let parent = locked.parent.as_deref().unwrap_or_default();
            let graph = &opened.resolved.graph;
            let parent = graph.find(parent).map_err(failed)?.filter(|parent| *parent != index);
            let parent = parent.ok_or_else(|| {
                let message = format!("the relative input '{reference}' has no parent");
                Error::evaluation(Pos::NONE, message)
            })?;
            let parent = self.eval.string(key(parent).as_bytes());
            self.add(set, "parent", parent);
            // Nix 2.34 forgets the folder behind `?dir=` of a locked relative input; its main branch
            // does not.
            return Ok([below(path), below(&reference.dir)].concat());
        }
        let input = &reference.input;
        let info = if let Some(path) = opened.finder.locked_path(input).map_err(failed)? {
            opened.finder.want(&path, &opened.input_name(index), input);
            self.source_info(&path, input)?
        } else {
            let mut text = b"builtins.fetchTree ".to_vec();
            set_text(&input.attrs, &mut text);
            self.eval.delayed(&text, b"/", CALL_FILE)?
        };
        self.add(set, "sourceInfo", info);
        Ok(below(&reference.dir))
    }

    fn source_info(&mut self, path: &StorePath, input: &Input) -> Result<Value<'a>> {
        let facts = TreeFacts { path, input, no_commit: false, pos: Pos::NONE };
        tree_attrs(self.eval, &facts).map_err(|error| {
            let input = super::reference::input_text(input);
            Error::evaluation(Pos::NONE, format!("the input '{input}': {error}"))
        })
    }

    fn add(&mut self, set: &mut AttrsBuilder<'a>, name: &str, value: Value<'a>) {
        set.add(self.eval.symbols.intern(name.as_bytes()), value);
    }
}

/// A folder as it stands behind a path.
fn below(folder: &[u8]) -> Vec<u8> {
    if folder.is_empty() { Vec::new() } else { [b"/", folder].concat() }
}

/// A failure of opening a flake as one of evaluating.
#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
pub(super) fn failed(error: FlakeError) -> Error {
    let kind = match &error {
        FlakeError::Process(crate::process::Error::Cancelled { .. }) => ErrorKind::Interrupted,
        _ => ErrorKind::Io,
    };
    let message = match error.hint() {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    };
    Error::new(kind, Pos::NONE, shown(message.as_bytes()))
}
