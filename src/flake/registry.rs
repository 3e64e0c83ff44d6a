//! Registries of flakes: which reference a short name stands for. (Nix manual, `nix registry`.)

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::{FlakeError, Result};
use super::reference::{FEATURES, FlakeRef, input_text};
use crate::eval::references::{Input, InputAttr, InputAttrs, Scheme};

/// The registries, the most important first.
#[derive(Debug, Clone, Default)]
pub(super) struct Registries {
    /// The user's, then the machine's.
    own: Vec<Entry>,
    /// The one for all, as the program `nix` has last downloaded it.
    global: Vec<Entry>,
}

/// What a name stands for.
#[derive(Debug, Clone)]
struct Entry {
    from: Input,
    to: FlakeRef,
    exact: bool,
}

/// Which registries count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// All of them.
    All,
    /// The global one, for the inputs of flakes.
    Global,
    /// None: the evaluation is pure.
    None,
}

/// More names than this that stand for each other are a circle.
const MOST_STEPS: usize = 100;

impl Registries {
    /// Reads those of this machine and this user. What cannot be read is told to `say`.
    pub(super) fn read(say: &dyn Fn(&str)) -> Self {
        let read = |file: Option<PathBuf>| file.map(|file| entries(&file, say)).unwrap_or_default();
        let own = [config_dir(), Some(system_dir())];
        Self {
            own: own
                .into_iter()
                .flat_map(|folder| read(folder.map(|folder| folder.join("registry.json"))))
                .collect(),
            global: read(cache_dir().map(|folder| folder.join("flake-registry.json"))),
        }
    }

    /// What an input stands for, with the folder in it where the registry names one. `None` if no registry
    /// knows it.
    pub(super) fn resolve(&self, input: &Input, which: Use) -> Result<Option<FlakeRef>> {
        let mut now = FlakeRef { input: input.clone(), dir: Vec::new() };
        for _ in 0..MOST_STEPS {
            let own: &[Entry] = if which == Use::All { &self.own } else { &[] };
            let global: &[Entry] = if which == Use::None { &[] } else { &self.global };
            let mut entries = own.iter().chain(global);
            let Some(entry) = entries.find(|entry| entry.is_for(&now.input)) else {
                let direct = now.input.scheme != Some(Scheme::Indirect);
                return Ok(direct.then_some(now));
            };
            now = entry.applied(&now.input)?;
        }
        let reason = format!("cycle detected in flake registry for '{}'", input_text(input));
        Err(FlakeError::Follows { reason })
    }
}

impl Entry {
    fn is_for(&self, input: &Input) -> bool {
        if self.from.attrs == input.attrs {
            return true;
        }
        let mut plain = input.attrs.clone();
        plain.remove(&b"ref"[..]);
        plain.remove(&b"rev"[..]);
        !self.exact && self.from.attrs == plain
    }

    /// What it stands for, at the branch and the commit that were asked for.
    fn applied(&self, input: &Input) -> Result<FlakeRef> {
        let mut attrs: InputAttrs = self.to.input.attrs.clone();
        let mut changed = false;
        for name in [&b"ref"[..], b"rev"] {
            if !self.exact
                && !self.from.attrs.contains_key(name)
                && let Some(value) = input.attrs.get(name)
            {
                attrs.insert(name.to_vec(), value.clone());
                changed = true;
            }
        }
        // A forge takes one of the two; the commit says more.
        let forge = self.to.input.scheme == Some(Scheme::Forge);
        if changed && forge && attrs.contains_key(&b"rev"[..]) {
            attrs.remove(&b"ref"[..]);
        }
        let input = Input::from_attrs(attrs, &FEATURES).map_err(|error| FlakeError::Reference {
            reference: input_text(input),
            reason: error.to_string(),
        })?;
        Ok(FlakeRef { input, dir: self.to.dir.clone() })
    }
}

/// The entries of a registry file; none where there is no file.
fn entries(file: &Path, say: &dyn Fn(&str)) -> Vec<Entry> {
    let Ok(text) = std::fs::read(file) else { return Vec::new() };
    parse(&text).unwrap_or_else(|reason| {
        say(&format!("cannot read flake registry '{}': {reason}", file.display()));
        Vec::new()
    })
}

fn parse(text: &[u8]) -> std::result::Result<Vec<Entry>, String> {
    let json: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    match json.get("version").and_then(Value::as_u64) {
        Some(2) => {}
        _ => return Err("its version is not 2".to_owned()),
    }
    let flakes = json.get("flakes").and_then(Value::as_array).ok_or("it has no 'flakes'")?;
    flakes
        .iter()
        .map(|flake| {
            let reference = |name: &str| {
                let set = flake.get(name).and_then(Value::as_object);
                let set = set.ok_or_else(|| format!("an entry has no '{name}'"))?;
                let attrs = set.iter().map(|(name, value)| {
                    let value = match value {
                        Value::String(text) => InputAttr::Text(text.clone().into_bytes()),
                        Value::Bool(value) => InputAttr::Bool(*value),
                        value => InputAttr::Number(value.as_u64().unwrap_or_default()),
                    };
                    (name.clone().into_bytes(), value)
                });
                FlakeRef::from_attrs(attrs.collect()).map_err(|error| error.to_string())
            };
            let exact = flake.get("exact").and_then(Value::as_bool).unwrap_or(false);
            Ok(Entry { from: reference("from")?.input, to: reference("to")?, exact })
        })
        .collect()
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn config_dir() -> Option<PathBuf> {
    variable("NIX_CONFIG_HOME").or_else(|| {
        let config = variable("XDG_CONFIG_HOME")
            .or_else(|| std::env::home_dir().map(|home| home.join(".config")));
        config.map(|config| config.join("nix"))
    })
}

fn system_dir() -> PathBuf {
    variable("NIX_CONF_DIR").unwrap_or_else(|| PathBuf::from("/etc/nix"))
}

fn cache_dir() -> Option<PathBuf> {
    variable("NIX_CACHE_HOME").or_else(|| {
        let cache = variable("XDG_CACHE_HOME")
            .or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
        cache.map(|cache| cache.join("nix"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(text: &str) -> Registries {
        Registries { own: parse(text.as_bytes()).unwrap(), global: Vec::new() }
    }

    fn resolved(registries: &Registries, reference: &str) -> String {
        let reference = FlakeRef::parse(reference.as_bytes()).unwrap();
        match registries.resolve(&reference.input, Use::All) {
            Ok(Some(found)) => found.to_string(),
            Ok(None) => "unknown".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn names_stand_for_references() {
        let registries = registry(
            r#"{"version":2,"flakes":[
                {"from":{"type":"indirect","id":"a"},"to":{"type":"indirect","id":"b"}},
                {"from":{"type":"indirect","id":"b"},
                 "to":{"type":"github","owner":"o","repo":"r","dir":"d"}},
                {"from":{"type":"indirect","id":"c"},"to":{"type":"indirect","id":"c"}},
                {"from":{"type":"indirect","id":"e"},"to":{"type":"path","path":"/e"},"exact":true}
            ]}"#,
        );
        let commit = "0123456789012345678901234567890123456789";
        assert_eq!(resolved(&registries, "a"), "github:o/r?dir=d");
        assert_eq!(resolved(&registries, "b/main"), "github:o/r/main?dir=d");
        assert_eq!(
            resolved(&registries, &format!("b/{commit}")),
            format!("github:o/r/{commit}?dir=d")
        );
        assert_eq!(resolved(&registries, "e"), "path:/e");
        assert_eq!(resolved(&registries, "e/main"), "unknown");
        assert_eq!(resolved(&registries, "z"), "unknown");
        assert_eq!(resolved(&registries, "github:x/y"), "github:x/y");
        assert!(resolved(&registries, "c").contains("cycle detected in flake registry"));
    }

    #[test]
    fn odd_registries_are_told() {
        for (text, reason) in [
            ("{", "EOF"),
            ("{}", "version"),
            ("{\"version\":2}", "flakes"),
            ("{\"version\":2,\"flakes\":[{}]}", "from"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
