//! Derivations as text, the way they lie in the store, byte for byte as C++ Nix writes them.
//!
//! Nix manual, "Derivation `ATerm` file format". Reading is in `aterm_parse`.

use super::content_address::CaMethod;
use super::derivation::{Derivation, InputOutputs, Output};
use super::error::StoreError;
use super::hash::{HashAlgo, Sha256Digest, push_hex};
use super::output_names::OutputNames;
use super::path::{StoreDir, StorePath};

/// The variable that holds structured attributes.
pub(super) const JSON_VARIABLE: &[u8] = b"__json";

/// The version of texts with outputs of outputs as inputs.
pub(super) const DYNAMIC_VERSION: &str = "xp-dyn-drv";

/// What follows the backslash for each byte that needs one, and 0 for the others.
const ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes[b'\n' as usize] = b'n';
    escapes[b'\r' as usize] = b'r';
    escapes[b'\t' as usize] = b't';
    escapes
};

/// What is written for input-addressed outputs and their variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paths {
    /// What the derivation has.
    Shown,
    /// Nothing, so that the text does not depend on them.
    Masked,
}

impl Derivation {
    /// Appends the derivation's text.
    ///
    /// # Errors
    ///
    /// [`StoreError::JsonVariable`] for a variable `__json`; for a fixed output, as
    /// [`StoreDir::ca_path`].
    pub fn write(&self, store: &StoreDir, out: &mut Vec<u8>) -> Result<(), StoreError> {
        if self.inputs.has_dynamic() {
            out.extend_from_slice(b"DrvWithVersion(");
            push_plain(DYNAMIC_VERSION.as_bytes(), out);
            out.push(b',');
        } else {
            out.extend_from_slice(b"Derive(");
        }
        self.write_outputs(store, Paths::Shown, out)?;
        out.push(b',');
        self.write_input_drvs(store, out);
        self.write_rest(store, |_, _| false, out)
    }

    /// Appends the list of outputs.
    pub(super) fn write_outputs(
        &self,
        store: &StoreDir,
        paths: Paths,
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        out.push(b'[');
        for (number, (name, output)) in self.outputs.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            out.push(b'(');
            push_plain(name, out);
            out.push(b',');
            match output {
                Output::InputAddressed(path) if paths == Paths::Shown => {
                    push_path(store, path, out);
                    out.extend_from_slice(b",\"\",\"\"");
                }
                Output::InputAddressed(_) | Output::Deferred => {
                    out.extend_from_slice(b"\"\",\"\",\"\"");
                }
                Output::Fixed(address) => {
                    if let Some(path) = output.path(store, &self.name, name)? {
                        push_path(store, &path, out);
                    }
                    push_method(address.method, address.hash.algo(), out);
                    out.push(b'"');
                    push_hex(address.hash.digest(), out);
                    out.push(b'"');
                }
                Output::Floating(method, algo) => {
                    out.extend_from_slice(b"\"\"");
                    push_method(*method, *algo, out);
                    push_plain(b"", out);
                }
                Output::Impure(method, algo) => {
                    out.extend_from_slice(b"\"\"");
                    push_method(*method, *algo, out);
                    push_plain(b"impure", out);
                }
            }
            out.push(b')');
        }
        out.push(b']');
        Ok(())
    }

    /// Appends the list of input derivations.
    pub(super) fn write_input_drvs(&self, store: &StoreDir, out: &mut Vec<u8>) {
        push_list(&self.inputs.drvs, out, |(path, outputs), out| {
            out.push(b'(');
            push_path(store, path, out);
            out.push(b',');
            push_input_outputs(outputs, out);
            out.push(b')');
        });
    }

    /// Appends all that follows the input derivations, from the comma on. `is_masked` is asked
    /// for each variable, with its name and the offset of its value's place in `out`, whether to
    /// leave the value empty.
    pub(super) fn write_rest(
        &self,
        store: &StoreDir,
        mut is_masked: impl FnMut(&[u8], usize) -> bool,
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        out.push(b',');
        push_list(&self.inputs.srcs, out, |path, out| push_path(store, path, out));
        out.push(b',');
        push_plain(&self.platform, out);
        out.push(b',');
        push_quoted(&self.builder, out);
        out.push(b',');
        push_list(&self.args, out, |arg, out| push_quoted(arg, out));
        out.push(b',');
        if self.env.contains_key(JSON_VARIABLE) {
            return Err(StoreError::JsonVariable);
        }
        let json = self.structured_attrs.as_deref().map(|json| (JSON_VARIABLE, json));
        let env = self.env.iter();
        let before = env.clone().take_while(|(name, _)| *name < JSON_VARIABLE);
        let after = env.skip_while(|(name, _)| *name < JSON_VARIABLE);
        push_list(before.chain(json).chain(after), out, |(name, value), out| {
            out.push(b'(');
            push_quoted(name, out);
            out.push(b',');
            let masked = is_masked(name, out.len() + 1);
            push_quoted(if masked { b"" } else { value }, out);
            out.push(b')');
        });
        out.push(b')');
        Ok(())
    }
}

/// Appends the start of a text in which input derivations stand as hashes, which must come in
/// order and once each; goes on with [`Derivation::write_rest`].
pub(super) fn write_hash_inputs<'a>(
    inputs: impl IntoIterator<Item = (Sha256Digest, &'a OutputNames)>,
    out: &mut Vec<u8>,
) {
    push_list(inputs, out, |(hash, names), out| {
        out.extend_from_slice(b"(\"");
        push_hex(&hash, out);
        out.extend_from_slice(b"\",");
        push_list(names.iter(), out, push_plain);
        out.push(b')');
    });
}

fn push_input_outputs(outputs: &InputOutputs, out: &mut Vec<u8>) {
    let push_names = |out: &mut Vec<u8>| push_list(outputs.names.iter(), out, push_plain);
    if outputs.dynamic.is_empty() {
        return push_names(out);
    }
    out.push(b'(');
    push_names(out);
    out.push(b',');
    push_list(&outputs.dynamic, out, |(name, outputs), out| {
        out.push(b'(');
        push_plain(name, out);
        out.push(b',');
        push_input_outputs(outputs, out);
        out.push(b')');
    });
    out.push(b')');
}

fn push_method(method: CaMethod, algo: HashAlgo, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(method.prefix().as_bytes());
    out.extend_from_slice(algo.name().as_bytes());
    out.extend_from_slice(b"\",");
}

fn push_list<T>(
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    mut push: impl FnMut(T, &mut Vec<u8>),
) {
    out.push(b'[');
    for (number, item) in items.into_iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        push(item, out);
    }
    out.push(b']');
}

fn push_path(store: &StoreDir, path: &StorePath, out: &mut Vec<u8>) {
    out.push(b'"');
    store.push_absolute(path, out);
    out.push(b'"');
}

/// Appends what Nix writes without escapes: output names and the platform.
fn push_plain(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Appends a string with escapes for what would end it, and for newline, return and tab.
fn push_quoted(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text;
    while let Some((clean, escaped, after)) = next_escape(rest) {
        out.extend_from_slice(clean);
        out.extend_from_slice(&[b'\\', escaped]);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// The bytes before the next one that needs a backslash, what follows the backslash, and the rest.
fn next_escape(text: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let at = text.iter().position(|byte| ESCAPES[usize::from(*byte)] != 0)?;
    let (clean, rest) = text.split_at_checked(at)?;
    let (byte, after) = rest.split_first()?;
    let escaped = ESCAPES[usize::from(*byte)];
    Some((clean, escaped, after))
}
