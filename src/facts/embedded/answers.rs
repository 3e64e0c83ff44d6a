//! What earlier evaluations of the very same flake have said: the names of its hosts, and a value a host.

use serde_json::Value;

use super::work::Kind;
use crate::eval::settings::Settings;
use crate::facts::cache::{Cache, Key};
use crate::facts::evaluator::FACTS_NIX;

/// The remembered answers of one flake; none where it has no fingerprint.
pub(super) struct Answers<'c> {
    cache: Option<&'c Cache>,
    /// What every answer depends on.
    flake: Vec<u8>,
}

impl<'c> Answers<'c> {
    /// The answers for the flake with this fingerprint.
    pub(super) fn new(
        cache: Option<&'c Cache>,
        fingerprint: Option<&str>,
        settings: &Settings,
    ) -> Self {
        let cache = cache.filter(|_| fingerprint.is_some());
        let flake = format!("{}\n{settings:?}\n{FACTS_NIX}", fingerprint.unwrap_or_default());
        Self { cache, flake: flake.into_bytes() }
    }

    /// The names of all hosts.
    pub(super) fn names(&self) -> Option<Vec<String>> {
        self.read(&[b"names"])
    }

    pub(super) fn put_names(&self, names: &[String]) {
        self.write(&[b"names"], &serde_json::json!(names).to_string());
    }

    /// The value of a host.
    pub(super) fn host(&self, kind: Kind, name: &str) -> Option<Value> {
        self.read(&[kind.name().as_bytes(), name.as_bytes()])
    }

    pub(super) fn put_host(&self, kind: Kind, name: &str, json: &str) {
        self.write(&[kind.name().as_bytes(), name.as_bytes()], json);
    }

    /// To be called once all is put.
    pub(super) fn tidy(&self) {
        if let Some(cache) = self.cache {
            cache.tidy();
        }
    }

    fn key(&self, cache: &Cache, question: &[&[u8]]) -> Key {
        cache.key(&[&[&self.flake[..]], question].concat())
    }

    fn read<T: serde::de::DeserializeOwned>(&self, question: &[&[u8]]) -> Option<T> {
        let cache = self.cache?;
        let key = self.key(cache, question);
        let answer = serde_json::from_slice(&cache.get(&key)?);
        answer.map_err(|error| cache.refuse(&key, &error.to_string())).ok()
    }

    fn write(&self, question: &[&[u8]], answer: &str) {
        if let Some(cache) = self.cache {
            cache.put(&self.key(cache, question), answer.as_bytes());
        }
    }
}
