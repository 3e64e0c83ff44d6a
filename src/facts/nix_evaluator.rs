//! The [`Evaluator`] that asks the `nix` program.

use std::sync::Arc;

use async_trait::async_trait;

use super::evaluator::{EvalError, Evaluator};
use super::host::HostSummary;
use super::model::HostFacts;
use crate::process::Runner;
use crate::process::nix::Nix;
use crate::validated::HostName;

/// Evaluates with the `nix` program, one `nix eval` for each call.
#[derive(Clone)]
pub struct NixEvaluator {
    runner: Arc<dyn Runner>,
    nix: Nix,
}

impl NixEvaluator {
    /// An evaluator that runs `nix` with `runner`.
    #[must_use]
    pub fn new(runner: Arc<dyn Runner>, nix: Nix) -> Self {
        Self { runner, nix }
    }
}

#[async_trait]
impl Evaluator for NixEvaluator {
    async fn hosts(&self, flake: &str) -> Result<Vec<HostSummary>, EvalError> {
        let _ = (&self.runner, &self.nix, flake);
        todo!()
    }

    async fn facts(&self, flake: &str, host: &HostName) -> Result<HostFacts, EvalError> {
        let _ = (flake, host);
        todo!()
    }

    async fn facts_of_all(&self, flake: &str) -> Result<Vec<HostFacts>, EvalError> {
        let _ = flake;
        todo!()
    }
}
