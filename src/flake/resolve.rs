//! Which tree stands for which input: what the lock file says, as far as it fits `flake.nix`, and what the
//! caller has put in the place of inputs. (Nix manual, `nix flake`, "Lock files" and "Flake inputs".)
//!
//! Inputs that the lock file lacks are locked in memory where their trees are on this machine. All else is
//! left to `nix flake lock`.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::InputDef;
use super::error::{FlakeError, Result};
use super::find::set_attr;
use super::lock::{Edge, Graph, InputPath, Locked, MOST_NESTED, Node, ROOT, shown_path};
use super::opener::{Opener, ReadFlake};
use super::reference::{FlakeRef, shown};
use super::registry::Use;
use super::repository::local_repository;
use crate::eval::references::{Input, InputAttr, InputAttrs, Scheme};
use crate::eval::text::path;
use crate::store::StorePath;

/// Where an input is whose tree was looked at.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The tree.
    pub(super) path: StorePath,
    /// The folder in it, without slashes around it.
    pub(super) folder: Vec<u8>,
    /// What the tree was found as.
    pub(super) input: Input,
}

/// What a flake's inputs are.
pub(super) struct Resolved {
    pub(super) graph: Graph,
    /// Where the nodes are whose trees were looked at.
    pub(super) places: BTreeMap<usize, Place>,
    /// Is it something else than the lock file says?
    pub(super) modified: bool,
}

/// What the caller puts in the place of inputs.
pub(super) type Overrides = [(InputPath, FlakeRef)];

impl Opener<'_> {
    /// Which tree stands for which input of a flake.
    pub(super) fn resolve(
        &self,
        flake: &ReadFlake,
        name: &str,
        overrides: &Overrides,
        place: Place,
        which: Use,
    ) -> Result<Resolved> {
        let old = self.lock_file(&flake.folder)?;
        let mut resolver = Resolver {
            opener: *self,
            flake: name,
            which,
            given: overrides.iter().map(|(path, _)| path.clone()).collect(),
            used: BTreeSet::new(),
            overrides: BTreeMap::new(),
            locks_nothing: old.nodes.len() <= 1,
            graph: Graph::new(),
            places: BTreeMap::from([(ROOT, place)]),
            parents: Vec::new(),
        };
        for (path, reference) in overrides {
            let input = InputDef { reference: Some(reference.clone()), ..InputDef::default() };
            let given = Override { input, folder: flake.folder.clone(), parent: None };
            resolver.overrides.entry(path.clone()).or_insert(given);
        }
        let job = Job {
            node: ROOT,
            prefix: &Vec::new(),
            old: Some((&old, ROOT)),
            follows_prefix: &Vec::new(),
            folder: &flake.folder,
            trust: false,
        };
        resolver.inputs(&flake.definition.inputs, &job)?;
        for (path, reference) in overrides {
            if !resolver.used.contains(path) {
                self.finder.warn(&format!(
                    "the flag '--override-input {} {reference}' does not match any input",
                    shown_path(path)
                ));
            }
        }
        let Resolver { graph, places, .. } = resolver;
        graph.check()?;
        let changes = old.changes(&graph)?;
        if let Some(lines) = &changes {
            let text = format!("not writing modified lock file of flake '{name}':\n{lines}");
            self.finder.warn(&text);
        }
        Ok(Resolved { graph, places, modified: changes.is_some() })
    }
}

/// What is put in the place of an input.
#[derive(Clone)]
struct Override {
    input: InputDef,
    /// The folder of the flake that says so, from which relative paths start.
    folder: Vec<u8>,
    /// The path to that flake; none for the caller.
    parent: Option<InputPath>,
}

struct Resolver<'r> {
    opener: Opener<'r>,
    /// The flake, as it is shown.
    flake: &'r str,
    which: Use,
    /// Which inputs the caller has replaced.
    given: BTreeSet<InputPath>,
    /// Which overrides have had a meaning.
    used: BTreeSet<InputPath>,
    overrides: BTreeMap<InputPath, Override>,
    /// Has the flake no lock file, or one without inputs?
    locks_nothing: bool,
    graph: Graph,
    places: BTreeMap<usize, Place>,
    /// The flakes that are being looked at, the innermost last.
    parents: Vec<FlakeRef>,
}

/// A flake whose inputs are to be found.
#[derive(Clone, Copy)]
struct Job<'j> {
    /// Its node.
    node: usize,
    /// The path to it.
    prefix: &'j InputPath,
    /// The node of a lock file that may know its inputs.
    old: Option<(&'j Graph, usize)>,
    /// What paths in that lock file are relative to.
    follows_prefix: &'j InputPath,
    /// The folder that relative paths start from.
    folder: &'j [u8],
    /// Are the inputs those of the lock file?
    trust: bool,
}

/// An input that is to be found.
struct Wanted<'w> {
    path: InputPath,
    input: InputDef,
    reference: FlakeRef,
    replaced: Option<&'w Override>,
    /// Of a relative one: the flake that it is relative to.
    parent: Option<InputPath>,
}

impl Wanted<'_> {
    /// The folder that a relative one stands for.
    fn folder(&self, job: &Job<'_>) -> Option<Vec<u8>> {
        let relative = self.reference.relative_path()?;
        let base = self.replaced.map_or(job.folder, |replaced| &replaced.folder);
        Some(path::join(base, &[b"./", relative].concat()))
    }

    fn locked_as(&self, exact: FlakeRef) -> Locked {
        Locked {
            exact,
            original: self.reference.clone(),
            is_flake: self.input.is_flake,
            parent: self.parent.clone(),
        }
    }
}

impl Resolver<'_> {
    fn inputs(&mut self, inputs: &BTreeMap<Vec<u8>, InputDef>, job: &Job<'_>) -> Result<()> {
        if job.prefix.len() > MOST_NESTED {
            let reason = format!("the inputs at '{}' have no end", shown_path(job.prefix));
            return Err(FlakeError::Follows { reason });
        }
        for (name, input) in inputs {
            let path = joined(job.prefix, name);
            self.add_overrides(input, &path, job);
        }
        self.tell_pointless(inputs, job.prefix);
        for (name, input) in inputs {
            let path = joined(job.prefix, name);
            self.input(name, input, &path, job).map_err(|error| match error {
                FlakeError::Input { .. }
                | FlakeError::Stale { .. }
                | FlakeError::Unlocked { .. } => error,
                error => error.of_input(&path),
            })?;
        }
        Ok(())
    }

    /// Takes up what an input changes in its own inputs.
    fn add_overrides(&mut self, input: &InputDef, path: &InputPath, job: &Job<'_>) {
        for (name, inner) in &input.overrides {
            let inner_path = joined(path, name);
            if inner.reference.is_some() || inner.follows.is_some() {
                let (folder, parent) = (job.folder.to_vec(), Some(job.prefix.clone()));
                let over = Override { input: inner.clone(), folder, parent };
                self.overrides.entry(inner_path.clone()).or_insert(over);
            }
            self.add_overrides(inner, &inner_path, job);
        }
    }

    fn tell_pointless(&self, inputs: &BTreeMap<Vec<u8>, InputDef>, prefix: &InputPath) {
        for path in self.overrides.keys() {
            let Some((name, parent)) = path.split_last() else { continue };
            if parent == prefix && !inputs.contains_key(name) && !self.given.contains(path) {
                self.opener.finder.warn(&format!(
                    "input '{}' has an override for a non-existent input '{}'",
                    shown_path(prefix),
                    shown(name)
                ));
            }
        }
    }

    fn input(
        &mut self,
        name: &[u8],
        declared: &InputDef,
        path: &InputPath,
        job: &Job<'_>,
    ) -> Result<()> {
        let replaced = self.overrides.get(path).cloned();
        let mut input = declared.clone();
        if let Some(replaced) = &replaced {
            self.used.insert(path.clone());
            input = InputDef { is_flake: declared.is_flake, ..replaced.input.clone() };
        }
        if let Some(target) = &input.follows {
            self.set(job.node, name, Edge::Follows(target.clone()));
            return Ok(());
        }
        let reference = match &input.reference {
            Some(reference) => reference.clone(),
            None => named(name)?,
        };
        let parent = reference.relative_path().map(|_| match &replaced {
            Some(replaced) => replaced.parent.clone().unwrap_or_default(),
            None => job.prefix.clone(),
        });
        let wanted =
            Wanted { path: path.clone(), input, reference, replaced: replaced.as_ref(), parent };
        let known =
            job.old.and_then(|(graph, node)| match graph.nodes.get(node)?.inputs.get(name)? {
                Edge::Node(node) => Some((graph, *node, graph.nodes.get(*node)?.locked.as_ref()?)),
                Edge::Follows(_) => None,
            });
        match known {
            Some((graph, node, locked))
                if !self.given.contains(path)
                    && locked.original.canonical() == wanted.reference.canonical()
                    && locked.parent == wanted.parent =>
            {
                self.keep(name, &wanted, (graph, node), locked, job)
            }
            known => {
                self.check_is_here(&wanted, known.map(|(_, _, locked)| locked))?;
                self.find(name, &wanted, job)
            }
        }
    }

    /// Takes what the lock file has. Its inputs may have been replaced since.
    fn keep(
        &mut self,
        name: &[u8],
        wanted: &Wanted<'_>,
        old: (&Graph, usize),
        locked: &Locked,
        job: &Job<'_>,
    ) -> Result<()> {
        let child = self.add(job.node, name, locked.clone());
        let mut inputs = BTreeMap::new();
        let mut must_read = false;
        let (graph, node) = old;
        for (inner, edge) in graph.nodes.get(node).iter().flat_map(|node| &node.inputs) {
            let input = match edge {
                Edge::Node(node) => {
                    let locked = graph.nodes.get(*node).and_then(|node| node.locked.as_ref());
                    let Some(locked) = locked else { continue };
                    InputDef {
                        reference: Some(locked.original.clone()),
                        is_flake: locked.is_flake,
                        ..InputDef::default()
                    }
                }
                Edge::Follows(target) => {
                    // What the flake itself follows may have changed with it; only what is still
                    // asked for by a flake further out is certain.
                    let asked = self.overrides.contains_key(&joined(&wanted.path, inner));
                    if !job.trust && !asked {
                        must_read = true;
                        break;
                    }
                    let target = [&job.follows_prefix[..], target].concat();
                    InputDef { follows: Some(target), ..InputDef::default() }
                }
            };
            inputs.insert(inner.clone(), input);
        }
        let inner = Job {
            node: child,
            prefix: &wanted.path,
            old: Some(old),
            follows_prefix: job.follows_prefix,
            folder: job.folder,
            trust: true,
        };
        if !must_read {
            return self.inputs(&inputs, &inner);
        }
        let folder = wanted.folder(job);
        let flake = self.read(&locked.exact, folder.as_deref(), wanted, true)?;
        self.place(child, &flake)?;
        let inner = Job { folder: &flake.folder.clone(), trust: false, ..inner };
        self.inputs(&flake.definition.inputs, &inner)
    }

    /// Fails for an input that has to be locked, and whose tree is not on this machine.
    fn check_is_here(&self, wanted: &Wanted<'_>, locked: Option<&Locked>) -> Result<()> {
        let reference = &wanted.reference;
        let is_here = wanted.replaced.is_some() && self.given.contains(&wanted.path)
            || match reference.input.scheme {
                Some(Scheme::Path) => true,
                Some(Scheme::Git) => local_repository(&reference.input).is_some(),
                Some(Scheme::Indirect) => self.stands_for_local(wanted)?,
                _ => false,
            };
        let path = shown_path(&wanted.path);
        let is_certain = reference.relative_path().is_some()
            || reference.input.is_locked().map_err(super::reference::bad(path.as_bytes()))?;
        if is_here && self.which == Use::None && !is_certain {
            let reason = format!("cannot update unlocked flake input '{path}' in pure mode");
            return Err(FlakeError::Content { reason });
        }
        if is_here {
            return Ok(());
        }
        if self.locks_nothing {
            let (flake, reference) = (self.flake.to_owned(), reference.to_string());
            return Err(FlakeError::Unlocked { flake, input: path, reference });
        }
        let what = match locked {
            Some(locked) if locked.original.canonical() != reference.canonical() => format!(
                "the input '{path}' is '{reference}', and was locked as '{}'",
                locked.original
            ),
            _ => format!("the input '{path}' ('{reference}') is not locked"),
        };
        Err(FlakeError::Stale { flake: self.flake.to_owned(), what })
    }

    fn stands_for_local(&self, wanted: &Wanted<'_>) -> Result<bool> {
        let registries = self.opener.finder.registries();
        let target = registries.resolve(&wanted.reference.input, self.uses(wanted))?;
        Ok(target.is_some_and(|target| match target.input.scheme {
            Some(Scheme::Path) => true,
            Some(Scheme::Git) => local_repository(&target.input).is_some(),
            _ => false,
        }))
    }

    /// Locks an input anew.
    fn find(&mut self, name: &[u8], wanted: &Wanted<'_>, job: &Job<'_>) -> Result<()> {
        let reference = &wanted.reference;
        let folder = wanted.folder(job);
        if !wanted.input.is_flake {
            let (place, locked) = if let Some(folder) = &folder {
                (self.place_at(folder, &reference.input)?, reference.clone())
            } else {
                let found = self.opener.finder.get(&reference.input, self.uses(wanted))?;
                let locked = FlakeRef { input: found.input.clone(), dir: reference.dir.clone() };
                let place = Place { path: found.path, folder: Vec::new(), input: found.input };
                (place, locked)
            };
            let child = self.add(job.node, name, wanted.locked_as(locked));
            self.places.insert(child, place);
            return Ok(());
        }
        let flake = self.read(reference, folder.as_deref(), wanted, false)?;
        let child = self.add(job.node, name, wanted.locked_as(flake.locked.clone()));
        if self.parents.contains(reference) {
            let reason = format!("found circular import of flake '{reference}'");
            return Err(FlakeError::Follows { reason });
        }
        self.parents.push(reference.clone());
        self.place(child, &flake)?;
        let lock = self.opener.lock_file(&flake.folder)?;
        let inner = Job {
            node: child,
            prefix: &wanted.path,
            old: Some((&lock, ROOT)),
            follows_prefix: &wanted.path,
            folder: &flake.folder,
            trust: false,
        };
        let result = self.inputs(&flake.definition.inputs, &inner);
        self.parents.pop();
        result
    }

    fn uses(&self, wanted: &Wanted<'_>) -> Use {
        match self.which {
            Use::None => Use::None,
            _ if self.given.contains(&wanted.path) => Use::All,
            _ => Use::Global,
        }
    }

    /// Reads the `flake.nix` of an input: below `folder` if it is relative.
    fn read(
        &self,
        reference: &FlakeRef,
        folder: Option<&[u8]>,
        wanted: &Wanted<'_>,
        is_locked: bool,
    ) -> Result<ReadFlake> {
        if let Some(folder) = folder {
            return self.opener.read_in(reference, reference.clone(), folder, &wanted.path);
        }
        let finder = self.opener.finder;
        if is_locked && let Some(path) = finder.locked_path(&reference.input)? {
            // Its tree need not be looked at again: the lock says which it is.
            finder.want(&path, &shown_path(&wanted.path), &reference.input);
            let root = finder.store.to_absolute(&path);
            return self.opener.read_in(reference, reference.clone(), &root, &wanted.path);
        }
        self.opener.flake(reference, self.uses(wanted), &wanted.path)
    }

    fn place(&mut self, node: usize, flake: &ReadFlake) -> Result<()> {
        let place = self.place_at(&flake.folder, &flake.locked.input)?;
        self.places.insert(node, place);
        Ok(())
    }

    fn place_at(&self, folder: &[u8], input: &Input) -> Result<Place> {
        let store = &self.opener.finder.store;
        let (path, rest) = store.split(folder).map_err(|_| FlakeError::NoFlake {
            flake: self.flake.to_owned(),
            reason: format!(
                "the folder '{}' of a relative input is outside of the flake's tree",
                shown(folder)
            ),
        })?;
        let folder = rest.strip_prefix(b"/").unwrap_or(rest).to_vec();
        Ok(Place { path, folder, input: input.clone() })
    }

    fn add(&mut self, parent: usize, name: &[u8], locked: Locked) -> usize {
        let index = self.graph.nodes.len();
        self.graph.nodes.push(Node { inputs: BTreeMap::new(), locked: Some(locked) });
        self.set(parent, name, Edge::Node(index));
        index
    }

    fn set(&mut self, node: usize, name: &[u8], edge: Edge) {
        if let Some(node) = self.graph.nodes.get_mut(node) {
            node.inputs.insert(name.to_vec(), edge);
        }
    }
}

/// The reference of an input that says nothing but its name.
fn named(name: &[u8]) -> Result<FlakeRef> {
    let mut attrs = InputAttrs::new();
    set_attr(&mut attrs, "type", InputAttr::Text(b"indirect".to_vec()));
    set_attr(&mut attrs, "id", InputAttr::Text(name.to_vec()));
    FlakeRef::from_attrs(attrs).map_err(super::reference::bad(name))
}

fn joined(path: &InputPath, name: &[u8]) -> InputPath {
    [&path[..], &[name.to_vec()]].concat()
}
