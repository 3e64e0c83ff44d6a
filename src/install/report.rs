//! The closing report of a run, as data.

use serde::{Deserialize, Serialize};

use super::phase::Phase;
use crate::secrets::Secret;

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The host.
    pub host: String,
    /// Did the run reach its end?
    pub ok: bool,
    /// Whole time in milliseconds.
    pub millis: u64,
    /// Time of ours in milliseconds: the whole less remote commands, nix, git, waits and questions.
    pub own_millis: u64,
    /// One entry a phase of the plan, in order.
    pub phases: Vec<PhaseReport>,
    /// What changed where ("this machine: hosts/grief/hardware-configuration.nix written").
    pub changes: Vec<String>,
    /// What is left for the user to do.
    pub next: Vec<String>,
    /// Passphrases that were made for this run, by container. The only place from which a person
    /// learns them: shown once, never written as JSON.
    #[serde(skip)]
    pub passphrases: Vec<(String, Secret)>,
    /// The command that goes on from here, after a failure.
    pub resume: Option<String>,
}

/// How a phase went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PhaseReport {
    /// Which.
    pub phase: Phase,
    /// Done, skipped, failed or not reached.
    pub outcome: Outcome,
    /// Milliseconds, of phases that ran.
    pub millis: Option<u64>,
    /// What it did, why it was skipped, or how it failed.
    pub summary: String,
}

/// How a phase ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Carried out.
    Done,
    /// Left out.
    Skipped,
    /// Failed.
    Failed,
    /// The run ended before it.
    NotReached,
}
