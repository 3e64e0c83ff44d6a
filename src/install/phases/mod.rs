//! The phases, a file each with a unit struct of the phase's name, and [`of`], which finds the one
//! that carries a phase out. A phase only does what the plan says; it decides nothing.

mod commit;
mod disko;
mod hardware;
mod hostkey;
mod install;
mod kexec;
mod lock;
mod reboot;
mod rebuild;
mod recovery;
mod secrets;
mod sync;
mod verify;

#[cfg(test)]
mod repo_tests;

use super::context::PhaseRun;
use super::phase::Phase;
pub(super) use rebuild::OVERRIDE_VARIABLE;

/// What carries `phase` out; `None` for preflight, which is over before the first phase runs.
#[must_use]
pub fn of(phase: Phase) -> Option<Box<dyn PhaseRun>> {
    let run: Box<dyn PhaseRun> = match phase {
        Phase::Preflight => return None,
        Phase::Hostkey => Box::new(hostkey::Hostkey),
        Phase::Secrets => Box::new(secrets::Secrets),
        Phase::Lock => Box::new(lock::Lock),
        Phase::Kexec => Box::new(kexec::Kexec),
        Phase::Hardware => Box::new(hardware::Hardware),
        Phase::Disko => Box::new(disko::Disko),
        Phase::Install => Box::new(install::Install),
        Phase::Reboot => Box::new(reboot::Reboot),
        Phase::Verify => Box::new(verify::Verify),
        Phase::Recovery => Box::new(recovery::Recovery),
        Phase::Sync => Box::new(sync::Sync),
        Phase::Rebuild => Box::new(rebuild::Rebuild),
        Phase::Commit => Box::new(commit::Commit),
    };
    Some(run)
}

#[cfg(test)]
mod tests;
