//! Derivations as data: what is built, from what, and which outputs come of it.
//!
//! Nix manual, "Derivation". Written and read as text in `aterm`; hashed in `modulo`.

use std::collections::{BTreeMap, BTreeSet};

use super::content_address::{CaMethod, ContentAddress, References, output_path_name};
use super::error::StoreError;
use super::hash::{HashAlgo, sha256};
use super::output_names::OutputNames;
use super::path::{DRV_EXTENSION, StoreDir, StorePath};
use super::placeholder::hash_placeholder;
use super::variables::Variables;

/// Text of any bytes.
pub type Bytes = Box<[u8]>;

/// The name of an output. Mostly a word; what it may hold, only store paths limit.
pub type OutputName = Bytes;

/// A derivation.
///
/// Arguments and environment are bytes of any kind. The environment must not have `__json`: it is
/// in `structured_attrs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// The name, without `.drv`.
    pub name: Box<str>,
    /// The outputs by name.
    pub outputs: BTreeMap<OutputName, Output>,
    /// What has to be there before the build.
    pub inputs: Inputs,
    /// `system`.
    pub platform: Bytes,
    /// The program that builds.
    pub builder: Bytes,
    /// Its arguments.
    pub args: Vec<Bytes>,
    /// Its environment.
    pub env: Variables,
    /// With `__structuredAttrs`: the JSON text, with sorted keys and without spaces, since it goes
    /// into the derivation's text as it is.
    pub structured_attrs: Option<Bytes>,
}

/// What a derivation needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Store paths, sources mostly.
    pub srcs: BTreeSet<StorePath>,
    /// Outputs of other derivations.
    pub drvs: BTreeMap<StorePath, InputOutputs>,
}

impl Inputs {
    /// Adds an output of a derivation.
    pub fn add_output(&mut self, derivation: &StorePath, output: &[u8]) {
        self.add_dynamic_output(derivation, &[], output);
    }

    /// Adds an output of a derivation that is an output itself (`builtins.outputOf`): of
    /// `derivation`, the first output of `through`; of this, the next; of the last one, `output`.
    pub fn add_dynamic_output(&mut self, derivation: &StorePath, through: &[&[u8]], output: &[u8]) {
        let mut outputs = self.drvs.entry(derivation.clone()).or_default();
        for name in through {
            outputs = outputs.dynamic.entry((*name).into()).or_default();
        }
        outputs.names.insert(output);
    }

    /// The store paths named here: sources and derivations, in order and once each.
    pub fn paths(&self) -> impl Iterator<Item = &StorePath> {
        let (mut srcs, mut drvs) = (self.srcs.iter().peekable(), self.drvs.keys().peekable());
        std::iter::from_fn(move || match (srcs.peek(), drvs.peek()) {
            (Some(src), Some(drv)) if src == drv => {
                srcs.next();
                drvs.next()
            }
            (Some(src), Some(drv)) if src < drv => srcs.next(),
            (_, Some(_)) => drvs.next(),
            (_, None) => srcs.next(),
        })
    }

    /// Is an input an output of a derivation that is itself an output?
    #[must_use]
    pub fn has_dynamic(&self) -> bool {
        self.drvs.values().any(|outputs| !outputs.dynamic.is_empty())
    }
}

/// Which outputs of a derivation are needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputOutputs {
    /// Its own outputs.
    pub names: OutputNames,
    /// Outputs that are derivations, and which outputs of these (experimental
    /// `dynamic-derivations`).
    pub dynamic: BTreeMap<OutputName, InputOutputs>,
}

/// How an output gets its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// From the derivation and all its inputs.
    InputAddressed(StorePath),
    /// From its content, which is known before.
    Fixed(ContentAddress),
    /// From its content, known when it is built (experimental `ca-derivations`).
    Floating(CaMethod, HashAlgo),
    /// Input-addressed, but an input's path is not known before it is built; also what stands
    /// here until the path is computed.
    Deferred,
    /// From its content, built anew each time (experimental `impure-derivations`).
    Impure(CaMethod, HashAlgo),
}

impl Output {
    /// The output's path, if it is known.
    ///
    /// # Errors
    ///
    /// As [`StoreDir::ca_path`].
    pub fn path(
        &self,
        store: &StoreDir,
        derivation_name: &str,
        output: &[u8],
    ) -> Result<Option<StorePath>, StoreError> {
        match self {
            Self::InputAddressed(path) => Ok(Some(path.clone())),
            Self::Fixed(address) => {
                let name = output_path_name(derivation_name.as_bytes(), output);
                store.ca_path(&name, address, References::NONE).map(Some)
            }
            Self::Floating(..) | Self::Deferred | Self::Impure(..) => Ok(None),
        }
    }
}

/// What all outputs of a derivation have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DerivationKind {
    /// [`Output::InputAddressed`] for all.
    InputAddressed,
    /// [`Output::Fixed`], for `out` alone.
    Fixed,
    /// [`Output::Floating`] for all.
    Floating,
    /// [`Output::Deferred`] for all.
    Deferred,
    /// [`Output::Impure`] for all.
    Impure,
}

impl Derivation {
    /// A derivation with that name and nothing in it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            outputs: BTreeMap::new(),
            inputs: Inputs::default(),
            platform: Bytes::default(),
            builder: Bytes::default(),
            args: Vec::new(),
            env: Variables::default(),
            structured_attrs: None,
        }
    }

    /// Adds an output and its variable, as `derivationStrict` does: the variable holds the path of
    /// a fixed output, a placeholder for a floating or impure one, and nothing for a deferred one
    /// until [`DrvHashes::instantiate`](super::DrvHashes::instantiate) knows it.
    ///
    /// # Errors
    ///
    /// As [`StoreDir::ca_path`].
    pub fn add_output(
        &mut self,
        store: &StoreDir,
        name: &[u8],
        output: Output,
    ) -> Result<(), StoreError> {
        let value = match &output {
            Output::Floating(..) | Output::Impure(..) => hash_placeholder(name).into_bytes(),
            Output::InputAddressed(_) | Output::Fixed(_) | Output::Deferred => {
                let path = output.path(store, &self.name, name)?;
                path.map(|path| store.to_absolute(&path)).unwrap_or_default()
            }
        };
        self.env.insert(name.into(), value.into());
        self.outputs.insert(name.into(), output);
        Ok(())
    }

    /// What kind of derivation the outputs make it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Outputs`] if there are none, or some that cannot be together.
    pub fn kind(&self) -> Result<DerivationKind, StoreError> {
        let mut outputs = self.outputs.iter();
        let (name, first) =
            outputs.next().ok_or(StoreError::Outputs("must have at least one output"))?;
        let kind = kind_of(first);
        if kind == DerivationKind::Fixed && **name != *b"out" {
            return Err(StoreError::Outputs("single fixed output must be named \"out\""));
        }
        for (_, output) in outputs {
            match (first, output) {
                _ if kind_of(output) != kind => {
                    return Err(StoreError::Outputs("can't mix derivation output types"));
                }
                (Output::Fixed(_), _) => {
                    return Err(StoreError::Outputs("only one fixed output is allowed for now"));
                }
                (Output::Floating(_, algo), Output::Floating(_, other)) if algo != other => {
                    let rule = "all floating outputs must use the same hash algorithm";
                    return Err(StoreError::Outputs(rule));
                }
                _ => {}
            }
        }
        Ok(kind)
    }

    /// The store path of a derivation that is written as `aterm`.
    ///
    /// # Errors
    ///
    /// [`StoreError::PathName`] if the name with `.drv` breaks a rule.
    pub(super) fn path_of_text(
        &self,
        store: &StoreDir,
        digest: [u8; 32],
    ) -> Result<StorePath, StoreError> {
        let name = [self.name.as_bytes(), DRV_EXTENSION.as_bytes()].concat();
        store.text_path(&name, digest, self.inputs.paths())
    }

    /// The derivation's own store path: a text's, with all inputs as references.
    ///
    /// # Errors
    ///
    /// As [`Derivation::write`], and [`StoreError::PathName`].
    pub fn path(&self, store: &StoreDir) -> Result<StorePath, StoreError> {
        self.path_of_text(store, sha256(&self.text(store)?))
    }

    /// The derivation's text.
    ///
    /// # Errors
    ///
    /// As [`Derivation::write`].
    pub fn text(&self, store: &StoreDir) -> Result<Vec<u8>, StoreError> {
        let mut text = Vec::new();
        self.write(store, &mut text)?;
        Ok(text)
    }
}

fn kind_of(output: &Output) -> DerivationKind {
    match output {
        Output::InputAddressed(_) => DerivationKind::InputAddressed,
        Output::Fixed(_) => DerivationKind::Fixed,
        Output::Floating(..) => DerivationKind::Floating,
        Output::Deferred => DerivationKind::Deferred,
        Output::Impure(..) => DerivationKind::Impure,
    }
}
