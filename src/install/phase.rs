//! The phases by name, in the order in which they run, and which of them a run has chosen.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One phase of a run. The order of the variants is the order of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Evaluate, probe, plan, ask.
    Preflight,
    /// Make the host's ssh key pair.
    Hostkey,
    /// Make the host a recipient of its secrets.
    Secrets,
    /// Let the flake's secrets input pick up the change.
    Lock,
    /// Start an installer on a target that runs none.
    Kexec,
    /// Describe the target's hardware in the flake.
    Hardware,
    /// Erase, format and mount the disks.
    Disko,
    /// Copy the system and make it bootable.
    Install,
    /// Restart into the new system.
    Reboot,
    /// Prove that the new system is up, and is the right one.
    Verify,
    /// Give the encrypted disks a recovery key.
    Recovery,
    /// Bring the repos to the target.
    Sync,
    /// Bring the full configuration.
    Rebuild,
    /// Record the run's files in the repos.
    Commit,
}

impl Phase {
    /// All phases in their order.
    pub const ALL: [Self; 14] = [
        Self::Preflight,
        Self::Hostkey,
        Self::Secrets,
        Self::Lock,
        Self::Kexec,
        Self::Hardware,
        Self::Disko,
        Self::Install,
        Self::Reboot,
        Self::Verify,
        Self::Recovery,
        Self::Sync,
        Self::Rebuild,
        Self::Commit,
    ];

    /// The name on the command line and in the journal.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::Hostkey => "hostkey",
            Self::Secrets => "secrets",
            Self::Lock => "lock",
            Self::Kexec => "kexec",
            Self::Hardware => "hardware",
            Self::Disko => "disko",
            Self::Install => "install",
            Self::Reboot => "reboot",
            Self::Verify => "verify",
            Self::Recovery => "recovery",
            Self::Sync => "sync",
            Self::Rebuild => "rebuild",
            Self::Commit => "commit",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A phase name that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no phase {0:?}; the phases are: {names}", names = Phase::ALL.map(Phase::name).join(", "))]
pub struct UnknownPhase(pub String);

impl FromStr for Phase {
    type Err = UnknownPhase;
    fn from_str(text: &str) -> Result<Self, UnknownPhase> {
        let phase = Self::ALL.into_iter().find(|phase| phase.name() == text);
        phase.ok_or_else(|| UnknownPhase(text.to_owned()))
    }
}

/// Which phases the user wants. Preflight always runs: without it there is no plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Only these, where any are named.
    pub only: BTreeSet<Phase>,
    /// Not these.
    pub skip: BTreeSet<Phase>,
}

impl Selection {
    /// Is `phase` wanted?
    #[must_use]
    pub fn wants(&self, phase: Phase) -> bool {
        phase == Phase::Preflight
            || ((self.only.is_empty() || self.only.contains(&phase)) && !self.skip.contains(&phase))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_the_order_is_the_run_s() {
        for phase in Phase::ALL {
            assert_eq!(phase.name().parse(), Ok(phase));
            assert_eq!(serde_json::to_string(&phase).unwrap(), format!("{:?}", phase.name()));
        }
        assert!(Phase::ALL.is_sorted());
        let error = "diskos".parse::<Phase>().unwrap_err().to_string();
        assert!(error.contains("diskos") && error.contains("preflight, hostkey"), "{error}");
    }

    #[test]
    fn skip_wins_over_only_and_preflight_always_runs() {
        let selection = Selection {
            only: [Phase::Disko, Phase::Install].into(),
            skip: [Phase::Install, Phase::Preflight].into(),
        };
        let wanted: Vec<_> = Phase::ALL.into_iter().filter(|p| selection.wants(*p)).collect();
        assert_eq!(wanted, [Phase::Preflight, Phase::Disko]);
    }
}
