//! Building outputs that an evaluation wants to read: import from derivation.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::error::InstantiateError;
use super::object::View;
use super::real_store::RealStore;
use crate::eval::io::{Wanted, reason};
use crate::eval::store_state::StoreState;
use crate::process::nix_log::Update;
use crate::process::nix_run::{self, NixError};
use crate::store::{Derivation, StorePath};

impl RealStore {
    /// Builds outputs of derivations, if the store does not have them; what the evaluation has made for them is
    /// written before. Says what may be read now.
    ///
    /// # Errors
    ///
    /// As [`RealStore::write`]; [`InstantiateError::Build`].
    pub fn realise(&self, wanted: &Wanted<'_>) -> Result<BTreeSet<StorePath>, InstantiateError> {
        let Wanted { state, io, outputs, with_closure } = *wanted;
        let view = View { state, io };
        let mut paths = Vec::with_capacity(outputs.len());
        for (drv, output) in outputs {
            paths.push(view.output(drv, output)?);
        }
        let known = || paths.iter().flatten();
        let valid = self.with(|store| Ok(store.valid_paths(known())?))?;
        let missing = outputs.iter().zip(&paths);
        let missing =
            missing.filter(|(_, path)| path.as_ref().is_none_or(|path| !valid.contains(path)));
        let missing: Vec<_> = missing.map(|(output, _)| output).collect();
        if !missing.is_empty() {
            let made = missing.iter().map(|(drv, _)| drv.clone());
            let made: Vec<_> = made.filter(|drv| state.derivation(drv).is_some()).collect();
            self.write(state, io, &made)?;
            self.build(state, &missing)?;
        }
        self.with(|store| {
            let mut reached: BTreeSet<StorePath> = known().cloned().collect();
            let mut open: Vec<StorePath> = known().cloned().collect();
            for path in &open {
                store.keep(path)?;
            }
            while let (true, Some(path)) = (with_closure, open.pop()) {
                for path in store.references(&path)?.unwrap_or_default() {
                    if reached.insert(path.clone()) {
                        open.push(path);
                    }
                }
            }
            Ok(reached)
        })
    }

    fn build(
        &self,
        state: &StoreState,
        outputs: &[&(StorePath, Box<[u8]>)],
    ) -> Result<(), InstantiateError> {
        let installables = outputs.iter().map(|(drv, output)| {
            let drv = state.dir().to_absolute(drv);
            String::from_utf8_lossy(&[&drv, &b"^"[..], output].concat()).into_owned()
        });
        let command = self.nix.build(&installables.collect::<Vec<_>>());
        let (mut lines, mut errors) = (VecDeque::new(), String::new());
        let tell = |update: &Update| {
            match update {
                // Told at the end.
                Update::Error(error) => return errors.push_str(error),
                Update::Text(text) => {
                    lines.extend(text.lines().map(ToOwned::to_owned));
                    lines.drain(..lines.len().saturating_sub(KEPT_LINES));
                }
                Update::Progress { .. } => {}
            }
            self.watcher.building(update.clone());
        };
        let run = self.handle.block_on(nix_run::run(&*self.runner, &command, None, tell));
        self.watcher.done();
        match run {
            Ok(_) => Ok(()),
            Err(NixError::Process(error)) => Err(error.into()),
            Err(NixError::Said(error)) => {
                Err(InstantiateError::Build(error + &last_lines(&errors, &lines)))
            }
        }
    }
}

/// How many of the lines that were told during a build are kept.
const KEPT_LINES: usize = 200;
/// How many of them an error shows.
const SHOWN_LINES: usize = 10;

/// What the builders said last whose failures an error tells. Nix leaves that out for those who read the log.
fn last_lines(error: &str, lines: &VecDeque<String>) -> String {
    let failed = error.split('\'').filter_map(|word| {
        let path = word.strip_suffix(".drv")?;
        path.rsplit('/').next()?.split_once('-').map(|(_, name)| format!("{name}> "))
    });
    let failed: BTreeSet<_> = failed.collect();
    let said = lines.iter().filter(|line| failed.iter().any(|name| line.starts_with(name)));
    let said: Vec<_> = said.collect();
    let last = said.get(said.len().saturating_sub(SHOWN_LINES)..).unwrap_or_default();
    if last.is_empty() {
        return String::new();
    }
    let mut shown = format!("\nLast {} log lines:", last.len());
    for line in last {
        shown.push('\n');
        shown.push_str(line);
    }
    shown
}

impl View<'_> {
    /// The path of an output, if it is known before it is built.
    fn output(self, drv: &StorePath, output: &[u8]) -> Result<Option<StorePath>, InstantiateError> {
        let derivation = match self.state.derivation(drv) {
            Some(known) => known.clone(),
            None => Arc::new(self.read_derivation(drv)?),
        };
        let dir = self.state.dir();
        let path =
            derivation.outputs.get(output).map(|kind| kind.path(dir, &derivation.name, output));
        Ok(path.transpose()?.flatten())
    }

    /// A derivation that the store has.
    fn read_derivation(self, path: &StorePath) -> Result<Derivation, InstantiateError> {
        let dir = self.state.dir();
        let file = dir.to_absolute(path);
        let text = self.io.read_file(&file).map_err(|error| InstantiateError::Source {
            origin: String::from_utf8_lossy(&file).into_owned(),
            reason: reason(&error),
        })?;
        Ok(Derivation::parse(dir, path.derivation_name()?, &text)?)
    }
}
