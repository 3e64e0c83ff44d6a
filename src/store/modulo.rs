//! The hash of a derivation modulo its fixed outputs: what output paths are computed from.
//!
//! Two derivations that differ only in how a fixed output is fetched, somewhere below, have the
//! same hash. Nix manual, "Derivation", "hash derivation modulo".

use std::borrow::Cow;
use std::io;

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;

use super::aterm::{Paths, write_hash_inputs};
use super::content_address::{ContentAddress, fixed_out};
use super::derivation::{Bytes, Derivation, DerivationKind, Inputs, Output, OutputName};
use super::error::{StoreError, shown};
use super::hash::{Sha256, Sha256Digest, sha256};
use super::output_names::OutputNames;
use super::path::{StoreDir, StorePath};
use super::variables::Variables;

/// What stands for a derivation in the texts of those that need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrvHash {
    /// Input-addressed: the hash of its text, with hashes for its own inputs.
    Regular(Sha256Digest),
    /// Fixed: a hash of what `out` holds.
    Fixed(Sha256Digest),
    /// Not known before something is built.
    Deferred,
}

/// Reads the text of a derivation that was not instantiated here from the store.
pub type ReadDrv<'a> = dyn FnMut(&StorePath) -> io::Result<Vec<u8>> + 'a;

/// Instantiates derivations, and remembers the hash of each one.
#[derive(Debug, Default)]
pub struct DrvHashes {
    store: StoreDir,
    known: HashMap<StorePath, DrvHash, FxBuildHasher>,
    buffers: Buffers,
}

/// Kept from one derivation to the next, so that they grow only once.
#[derive(Debug, Default)]
struct Buffers {
    /// The text up to the outputs.
    outputs: Vec<u8>,
    /// The inputs as hashes.
    inputs: Vec<u8>,
    /// What follows the inputs, with nothing as the outputs' variables' values.
    masked: Vec<u8>,
    /// Where in `masked` these values belong, in the outputs' order.
    holes: Vec<usize>,
    /// A whole text, or what follows the inputs.
    text: Vec<u8>,
}

/// A derivation's inputs as they stand in the text that is hashed: in order, once each.
type HashInputs<'a> = Vec<(Sha256Digest, Cow<'a, OutputNames>)>;

impl DrvHashes {
    /// For derivations in that store, with nothing remembered.
    #[must_use]
    pub fn new(store: StoreDir) -> Self {
        Self { store, ..Self::default() }
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &StoreDir {
        &self.store
    }

    /// The hash of a derivation that was met before.
    #[must_use]
    pub fn get(&self, path: &StorePath) -> Option<DrvHash> {
        self.known.get(path).copied()
    }

    /// Gives the outputs their paths, and their variables too, where all inputs' paths are known;
    /// gives back the derivation's own path and remembers its hash. Inputs that have not been
    /// met before are read with `read`.
    ///
    /// [`Output::Deferred`] becomes [`Output::InputAddressed`] if possible, whatever its variable
    /// held; an output that has a path already must have the right one, and so must its variable,
    /// if it is not empty.
    ///
    /// # Errors
    ///
    /// As [`Derivation::kind`], [`Derivation::write`], [`StoreDir::ca_path`];
    /// [`StoreError::InputDerivation`] and [`StoreError::Cycle`] from inputs that are read;
    /// [`StoreError::NoSuchOutput`]; [`StoreError::OutputPath`], [`StoreError::OutputVariable`]
    /// and [`StoreError::OutputNotDeferred`] for outputs with another path.
    pub fn instantiate(
        &mut self,
        drv: &mut Derivation,
        read: &mut ReadDrv<'_>,
    ) -> Result<StorePath, StoreError> {
        let kind = drv.kind()?;
        if matches!(kind, DerivationKind::InputAddressed | DerivationKind::Deferred) {
            if !drv.inputs.has_dynamic() {
                for path in drv.inputs.drvs.keys() {
                    self.hash_of(path, read)?;
                }
            }
            if let Some(inputs) = self.hash_inputs(&drv.inputs, &drv.name)? {
                write_hash_inputs(
                    inputs.iter().map(|(hash, names)| (*hash, &**names)),
                    cleared(&mut self.buffers.inputs),
                );
                return self.input_addressed(drv);
            }
            check_deferred(drv, &self.store)?;
        }
        if let (DerivationKind::Fixed, Some((name, output))) = (kind, drv.outputs.iter().next())
            && let Some(path) = output.path(&self.store, &drv.name, name)?
        {
            set_variable(&mut drv.env, name, self.store.to_absolute(&path))?;
        }
        let text = cleared(&mut self.buffers.text);
        drv.write(&self.store, text)?;
        let path = drv.path_of_text(&self.store, sha256(text))?;
        let hash = self.hash_without_inputs(drv)?.unwrap_or(DrvHash::Deferred);
        self.known.insert(path.clone(), hash);
        Ok(path)
    }

    /// The hash of a derivation, for which it and its inputs are read with `read` where they have
    /// not been met before.
    ///
    /// # Errors
    ///
    /// [`StoreError::InputDerivation`], [`StoreError::Cycle`], [`StoreError::NoSuchOutput`].
    pub fn hash_of(
        &mut self,
        path: &StorePath,
        read: &mut ReadDrv<'_>,
    ) -> Result<DrvHash, StoreError> {
        if let Some(hash) = self.known.get(path) {
            return Ok(*hash);
        }
        // A list instead of recursion: how deep derivations depend on each other has no limit.
        let mut open = vec![(path.clone(), self.load(path, read)?)];
        let mut opened = HashSet::<_, FxBuildHasher>::from_iter([path.clone()]);
        let mut last = DrvHash::Deferred;
        while let Some((path, drv)) = open.last() {
            if let Some(hash) = self.hash_without_inputs(drv)? {
                last = hash;
            } else if let Some(input) = self.unknown_input(drv) {
                let input = input.clone();
                if !opened.insert(input.clone()) {
                    return Err(StoreError::Cycle(input.to_string()));
                }
                let drv = self.load(&input, read)?;
                open.push((input, drv));
                continue;
            } else {
                last = self.hash_with_inputs(drv)?;
            }
            self.known.insert(path.clone(), last);
            open.pop();
        }
        Ok(last)
    }

    fn load(&self, path: &StorePath, read: &mut ReadDrv<'_>) -> Result<Derivation, StoreError> {
        let parse = |text: Vec<u8>| Derivation::parse(&self.store, path.derivation_name()?, &text);
        read(path).map_err(StoreError::from).and_then(parse).map_err(|source| {
            let path = shown(&self.store.to_absolute(path));
            StoreError::InputDerivation { path, source: source.into() }
        })
    }

    fn unknown_input<'a>(&self, drv: &'a Derivation) -> Option<&'a StorePath> {
        drv.inputs.drvs.keys().find(|input| !self.known.contains_key(*input))
    }

    /// The hash of a derivation for which its inputs don't matter.
    fn hash_without_inputs(&self, drv: &Derivation) -> Result<Option<DrvHash>, StoreError> {
        match (drv.kind()?, drv.outputs.iter().next()) {
            (DerivationKind::InputAddressed, _) => Ok(None),
            (DerivationKind::Fixed, Some((name, output @ Output::Fixed(address)))) => {
                let path = output.path(&self.store, &drv.name, name)?;
                Ok(path.map(|path| DrvHash::Fixed(self.fixed_hash(address, &path))))
            }
            _ => Ok(Some(DrvHash::Deferred)),
        }
    }

    fn fixed_hash(&self, address: &ContentAddress, path: &StorePath) -> Sha256Digest {
        let mut text = fixed_out(address);
        text.push(b':');
        self.store.push_absolute(path, &mut text);
        sha256(&text)
    }

    /// The hash of an input-addressed derivation as it is, whose inputs are all known.
    fn hash_with_inputs(&self, drv: &Derivation) -> Result<DrvHash, StoreError> {
        let Some(inputs) = self.hash_inputs(&drv.inputs, &drv.name)? else {
            return Ok(DrvHash::Deferred);
        };
        let mut text = b"Derive(".to_vec();
        drv.write_outputs(&self.store, Paths::Shown, &mut text)?;
        text.push(b',');
        write_hash_inputs(inputs.iter().map(|(hash, names)| (*hash, &**names)), &mut text);
        drv.write_rest(&self.store, |_, _| false, &mut text)?;
        Ok(DrvHash::Regular(sha256(&text)))
    }

    /// The known hashes of all inputs, sorted; the outputs of inputs with the same hash are
    /// joined. `None` if one of them is not known before it is built.
    fn hash_inputs<'a>(
        &self,
        inputs: &'a Inputs,
        derivation: &str,
    ) -> Result<Option<HashInputs<'a>>, StoreError> {
        let mut hashes: HashInputs<'a> = Vec::with_capacity(inputs.drvs.len());
        for (path, outputs) in &inputs.drvs {
            let hash = match self.get(path) {
                _ if !outputs.dynamic.is_empty() => return Ok(None),
                None | Some(DrvHash::Deferred) => return Ok(None),
                Some(DrvHash::Regular(hash)) => hash,
                Some(DrvHash::Fixed(hash)) => {
                    if let Some(output) = outputs.names.iter().find(|name| *name != b"out") {
                        let (output, derivation) = (shown(output), derivation.to_owned());
                        return Err(StoreError::NoSuchOutput { output, derivation });
                    }
                    hash
                }
            };
            hashes.push((hash, Cow::Borrowed(&outputs.names)));
        }
        hashes.sort_unstable_by_key(|(hash, _)| *hash);
        hashes.dedup_by(|(hash, names), (kept_hash, kept)| {
            let is_same = hash == kept_hash;
            if is_same && names != kept {
                let kept = kept.to_mut();
                names.iter().for_each(|name| kept.insert(name));
            }
            is_same
        });
        Ok(Some(hashes))
    }

    /// [`DrvHashes::instantiate`] for an input-addressed derivation whose inputs, as hashes, are
    /// in the buffer.
    ///
    /// Three hashes are needed, of texts that have most in common: with masked outputs (for the
    /// outputs' paths), whole (for the derivation's path), and whole with hashes as inputs (for
    /// those that need it). So what follows the inputs is written once and then filled in.
    fn input_addressed(&mut self, drv: &mut Derivation) -> Result<StorePath, StoreError> {
        let Self { store, known, buffers } = self;
        for name in drv.outputs.keys() {
            if !drv.env.contains_key(name) {
                drv.env.insert((**name).into(), Bytes::default());
            }
        }
        let Buffers { outputs, inputs, masked, holes, text } = buffers;
        holes.clear();
        let is_output = |name: &[u8], at| {
            let found = drv.outputs.contains_key(name);
            if found {
                holes.push(at);
            }
            found
        };
        drv.write_rest(store, is_output, cleared(masked))?;
        start(drv, store, Paths::Masked, outputs)?;
        let own = Sha256::new().and(outputs).and(inputs).and(masked);
        set_paths(drv, store, own.finish())?;

        start(drv, store, Paths::Shown, outputs)?;
        fill_in(masked, holes, drv, cleared(text));
        let started = Sha256::new().and(outputs);
        let hash = started.clone().and(inputs).and(text).finish();

        let paths = cleared(inputs);
        drv.write_input_drvs(store, paths);
        let digest = started.and(paths).and(text).finish();
        let path = drv.path_of_text(store, digest)?;
        known.insert(path.clone(), DrvHash::Regular(hash));
        Ok(path)
    }
}

fn cleared(buffer: &mut Vec<u8>) -> &mut Vec<u8> {
    buffer.clear();
    buffer
}

/// Writes the text of a derivation up to its inputs.
fn start(
    drv: &Derivation,
    store: &StoreDir,
    paths: Paths,
    out: &mut Vec<u8>,
) -> Result<(), StoreError> {
    cleared(out).extend_from_slice(b"Derive(");
    drv.write_outputs(store, paths, out)?;
    out.push(b',');
    Ok(())
}

/// Copies `masked` with the values of the outputs' variables, which are paths, in their places.
fn fill_in(masked: &[u8], holes: &[usize], drv: &Derivation, out: &mut Vec<u8>) {
    let values = drv.outputs.keys().map(|name| drv.env.get(name).map_or(&[][..], |value| value));
    let mut copied = 0;
    for (hole, value) in holes.iter().zip(values) {
        out.extend_from_slice(masked.get(copied..*hole).unwrap_or_default());
        out.extend_from_slice(value);
        copied = *hole;
    }
    out.extend_from_slice(masked.get(copied..).unwrap_or_default());
}

/// Gives input-addressed outputs and their variables the paths that follow from `hash`.
fn set_paths(drv: &mut Derivation, store: &StoreDir, hash: Sha256Digest) -> Result<(), StoreError> {
    for (name, output) in &mut drv.outputs {
        let path = store.output_path(name, hash, drv.name.as_bytes())?;
        let absolute = store.to_absolute(&path);
        match output {
            Output::InputAddressed(found) if *found != path => {
                let (found, expected) = (shown(&store.to_absolute(found)), shown(&absolute));
                return Err(StoreError::OutputPath { found, expected });
            }
            Output::InputAddressed(_) => set_variable(&mut drv.env, name, absolute)?,
            _ => {
                drv.env.insert((**name).into(), absolute.into());
                *output = Output::InputAddressed(path);
            }
        }
    }
    Ok(())
}

/// Sets an output's variable, which must be empty or right already.
fn set_variable(env: &mut Variables, output: &OutputName, path: Vec<u8>) -> Result<(), StoreError> {
    match env.get_mut(output) {
        Some(value) if value.is_empty() => *value = path.into(),
        Some(value) if **value == *path => {}
        Some(value) => {
            let (name, found) = (shown(output), shown(value));
            return Err(StoreError::OutputVariable { name, expected: shown(&path), found });
        }
        None => env.insert((**output).into(), path.into()),
    }
    Ok(())
}

fn check_deferred(drv: &Derivation, store: &StoreDir) -> Result<(), StoreError> {
    for output in drv.outputs.values() {
        if let Output::InputAddressed(path) = output {
            return Err(StoreError::OutputNotDeferred(shown(&store.to_absolute(path))));
        }
    }
    Ok(())
}
