//! The phases, a file each with a unit struct of the phase's name, and [`of`], which finds the one
//! that carries a phase out. A phase only does what the plan says; it decides nothing.

mod hostkey;

use super::context::PhaseRun;
use super::phase::Phase;

/// What carries `phase` out; `None` for preflight, which is over before the first phase runs.
#[must_use]
pub fn of(phase: Phase) -> Option<Box<dyn PhaseRun>> {
    let run: Box<dyn PhaseRun> = match phase {
        Phase::Hostkey => Box::new(hostkey::Hostkey),
        _ => return None,
    };
    Some(run)
}
