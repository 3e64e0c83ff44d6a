//! Reading the text of a derivation.
//!
//! As lax as C++ Nix where that loses nothing: lists may be in any order, since they are sets, and
//! `\x` is `x` for any other `x`. What follows the last parenthesis is an error here.

use std::borrow::Cow;

use super::aterm::DYNAMIC_VERSION;
use super::aterm::JSON_VARIABLE;
use super::content_address::{CaMethod, ContentAddress};
use super::derivation::{Bytes, Derivation, InputOutputs, Output};
use super::error::{StoreError, shown};
use super::hash::{Hash, HashAlgo};
use super::output_names::OutputNames;
use super::path::{StoreDir, StorePath};

/// How deep outputs of outputs may be nested; Nix has no limit but its stack.
const MAX_DYNAMIC_DEPTH: usize = 100;

impl Derivation {
    /// Reads a derivation's text. The name (without `.drv`) is not in it, it comes from the path.
    ///
    /// # Errors
    ///
    /// [`StoreError::Aterm`] with the offset and what was expected there, and what is wrong with
    /// paths and hashes in it.
    pub fn parse(store: &StoreDir, name: &str, text: &[u8]) -> Result<Self, StoreError> {
        let mut parser = Parser { store, text, at: 0, is_dynamic: false };
        parser.head()?;
        let mut drv = Self::new(name);
        parser.list(|p| p.output(&mut drv))?;
        parser.expect(b",")?;
        parser.list(|p| p.input(&mut drv))?;
        parser.expect(b",")?;
        parser.list(|p| {
            drv.inputs.srcs.insert(p.store_path()?);
            Ok(())
        })?;
        parser.expect(b",")?;
        drv.platform = parser.string()?.into();
        parser.expect(b",")?;
        drv.builder = parser.string()?.into();
        parser.expect(b",")?;
        parser.list(|p| {
            drv.args.push(p.string()?.into());
            Ok(())
        })?;
        parser.expect(b",")?;
        parser.list(|p| p.variable(&mut drv))?;
        parser.expect(b")")?;
        if parser.at < text.len() {
            return Err(parser.problem("expected nothing more"));
        }
        Ok(drv)
    }
}

struct Parser<'a> {
    store: &'a StoreDir,
    text: &'a [u8],
    at: usize,
    /// May inputs be outputs of outputs?
    is_dynamic: bool,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn problem(&self, problem: impl Into<String>) -> StoreError {
        StoreError::Aterm { at: self.at, problem: problem.into() }
    }

    fn eat(&mut self, word: &[u8]) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn expect(&mut self, word: &[u8]) -> Result<(), StoreError> {
        if self.eat(word) {
            return Ok(());
        }
        Err(self.problem(format!("expected string '{}'", shown(word))))
    }

    fn head(&mut self) -> Result<(), StoreError> {
        if self.eat(b"Derive(") {
            return Ok(());
        }
        if !self.eat(b"DrvWithVersion(") {
            let problem = "derivation does not start with 'Derive' or 'DrvWithVersion'";
            return Err(self.problem(problem));
        }
        let at = self.at;
        let version = self.string()?;
        if *version != *DYNAMIC_VERSION.as_bytes() {
            let version = shown(&version);
            let problem = format!("Unknown derivation ATerm format version '{version}'");
            return Err(StoreError::Aterm { at, problem });
        }
        self.is_dynamic = true;
        self.expect(b",")
    }

    /// `[item,item,…]`, where `item` reads one.
    fn list(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.expect(b"[")?;
        if self.eat(b"]") {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.eat(b"]") {
                return Ok(());
            }
            self.expect(b",")?;
        }
    }

    /// A quoted string; borrowed if it has no escapes.
    fn string(&mut self) -> Result<Cow<'a, [u8]>, StoreError> {
        self.expect(b"\"")?;
        let mut unescaped: Option<Vec<u8>> = None;
        loop {
            let rest = self.rest();
            let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            let Some((clean, [mark, after @ ..])) = end.and_then(|end| rest.split_at_checked(end))
            else {
                return Err(self.problem("unterminated string in derivation"));
            };
            self.at += clean.len() + 1;
            if *mark == b'"' {
                return Ok(match unescaped {
                    None => Cow::Borrowed(clean),
                    Some(mut text) => {
                        text.extend_from_slice(clean);
                        Cow::Owned(text)
                    }
                });
            }
            let Some(escaped) = after.first() else {
                return Err(self.problem("unterminated string in derivation"));
            };
            let text = unescaped.get_or_insert_default();
            text.extend_from_slice(clean);
            text.push(match escaped {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                other => *other,
            });
            self.at += 1;
        }
    }

    fn store_path(&mut self) -> Result<StorePath, StoreError> {
        let path = self.string()?;
        self.store.parse_canonical(&path)
    }

    fn names(&mut self) -> Result<OutputNames, StoreError> {
        let mut names = OutputNames::default();
        self.list(|p| {
            names.insert(&p.string()?);
            Ok(())
        })?;
        Ok(names)
    }

    fn output(&mut self, drv: &mut Derivation) -> Result<(), StoreError> {
        let at = self.at;
        self.expect(b"(")?;
        let name = self.string()?;
        self.expect(b",")?;
        let path = self.string()?;
        self.expect(b",")?;
        let method = self.string()?;
        self.expect(b",")?;
        let hash = self.string()?;
        self.expect(b")")?;
        let problem = |problem: String| StoreError::Aterm { at, problem };
        let output = if method.is_empty() && path.is_empty() {
            Output::Deferred
        } else if method.is_empty() {
            Output::InputAddressed(self.store.parse_canonical(&path)?)
        } else {
            let (method, algo) = CaMethod::strip_prefix(&method);
            let algo = HashAlgo::parse(algo)?;
            match &*hash {
                b"impure" if !path.is_empty() => {
                    let rule = "impure derivation output should not specify output path";
                    return Err(problem(rule.to_owned()));
                }
                b"" if !path.is_empty() => {
                    let rule =
                        "content-addressing derivation output should not specify output path";
                    return Err(problem(rule.to_owned()));
                }
                b"impure" => Output::Impure(method, algo),
                b"" => Output::Floating(method, algo),
                hash => {
                    let hash = Hash::parse_unprefixed(hash, algo)?;
                    Output::Fixed(ContentAddress { method, hash })
                }
            }
        };
        if let Output::Fixed(_) = output
            && output.path(self.store, &drv.name, &name)?.as_ref()
                != Some(&self.store.parse_canonical(&path)?)
        {
            return Err(problem(format!(
                "derivation output '{}' has path '{}', which does not match its content address",
                shown(&name),
                shown(&path)
            )));
        }
        drv.outputs.insert(name.into(), output);
        Ok(())
    }

    fn input(&mut self, drv: &mut Derivation) -> Result<(), StoreError> {
        self.expect(b"(")?;
        let at = self.at;
        let path = self.store_path()?;
        self.expect(b",")?;
        let outputs = self.input_outputs(0)?;
        if outputs.names.is_empty() && outputs.dynamic.is_empty() {
            let path = shown(&self.store.to_absolute(&path));
            let problem = format!("inputDrvs entry for '{path}' specifies no outputs");
            return Err(StoreError::Aterm { at, problem });
        }
        drv.inputs.drvs.insert(path, outputs);
        self.expect(b")")
    }

    fn input_outputs(&mut self, depth: usize) -> Result<InputOutputs, StoreError> {
        if !self.is_dynamic || self.rest().first() != Some(&b'(') {
            return Ok(InputOutputs { names: self.names()?, ..InputOutputs::default() });
        }
        if depth >= MAX_DYNAMIC_DEPTH {
            return Err(self.problem("outputs of outputs are nested too deeply"));
        }
        self.expect(b"(")?;
        let mut outputs = InputOutputs { names: self.names()?, ..InputOutputs::default() };
        self.expect(b",")?;
        self.list(|p| {
            p.expect(b"(")?;
            let name: Bytes = p.string()?.into();
            p.expect(b",")?;
            outputs.dynamic.insert(name, p.input_outputs(depth + 1)?);
            p.expect(b")")
        })?;
        self.expect(b")")?;
        Ok(outputs)
    }

    fn variable(&mut self, drv: &mut Derivation) -> Result<(), StoreError> {
        self.expect(b"(")?;
        let name = self.string()?;
        self.expect(b",")?;
        let value: Bytes = self.string()?.into();
        if *name == *JSON_VARIABLE {
            drv.structured_attrs = Some(value);
        } else {
            drv.env.insert(name.into(), value);
        }
        self.expect(b")")
    }
}
