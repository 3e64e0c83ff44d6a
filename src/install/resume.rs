//! Going on after an interruption: what the journal says is compared with what the machine is now,
//! and with which secrets are still there. Phases whose work is lost are done again.

use std::collections::BTreeSet;

use super::building;
use super::context::{Failure, Side, World};
use super::decide::runs;
use super::event::Event;
use super::journal::State;
use super::options::Options;
use super::phase::Phase;
use super::plan::{Plan, plan};
use super::private::{HostKey, HostKeys, Leftovers, Passphrases};
use super::surroundings::Surroundings;
use crate::facts::HostFacts;
use crate::remote::{Connection, HostPublicKey, Probe, RemoteCommand};
use crate::secrets::Secret;
use crate::secrets::host_key;

/// What is known when a run is to go on.
pub(super) struct Inputs<'a> {
    pub(super) world: &'a World,
    pub(super) options: &'a Options,
    pub(super) facts: &'a HostFacts,
    pub(super) minimal: Option<&'a HostFacts>,
    pub(super) probe: &'a Probe,
    pub(super) around: &'a mut Surroundings,
    pub(super) state: &'a State,
    pub(super) side: Side,
    pub(super) connection: &'a dyn Connection,
    pub(super) leftovers: Leftovers,
}

/// The plan, with the secrets that are still there.
pub(super) struct Resumed {
    pub(super) plan: Plan,
    pub(super) host_keys: HostKeys,
    pub(super) passphrases: Passphrases,
    pub(super) again: Vec<Phase>,
}

/// Plans, leaving out what is really done.
pub(super) async fn reconcile(mut inputs: Inputs<'_>) -> Result<Resumed, Failure> {
    let mut again = BTreeSet::new();
    let first = decide(&mut inputs, &again);
    back_in_installer(&inputs, &mut again);
    changed_system(&inputs, &first, &mut again).await?;
    let host_keys = host_keys(&inputs, &first, &mut again).await;
    let second = decide(&mut inputs, &again);
    outdated(&inputs, &second, &mut again);
    let plan = decide(&mut inputs, &again);
    let passphrases = inputs.leftovers.passphrases;
    Ok(Resumed { plan, host_keys, passphrases, again: again.into_iter().collect() })
}

fn decide(inputs: &mut Inputs<'_>, again: &BTreeSet<Phase>) -> Plan {
    let finished = inputs.state.finished.iter().map(|finished| finished.phase);
    inputs.around.done = finished.filter(|phase| !again.contains(phase)).collect();
    plan(inputs.facts, inputs.minimal, inputs.probe, inputs.options, inputs.around)
}

fn warn(inputs: &Inputs<'_>, text: impl Into<String>) {
    let (phase, text) = (Some(Phase::Preflight), text.into());
    inputs.world.reporter.event(&Event::Warning { phase, text });
}

/// Marks those of `phases` that are finished.
fn mark(inputs: &Inputs<'_>, phases: &[Phase], again: &mut BTreeSet<Phase>) {
    again.extend(phases.iter().copied().filter(|phase| inputs.state.has(*phase)));
}

/// Does the installer run, with everything that `disko` has mounted and opened?
fn still_mounted(inputs: &Inputs<'_>) -> bool {
    inputs.side == Side::Installer
        && inputs.state.record.installer_boot_id.as_ref() == Some(&inputs.probe.boot_id)
}

fn back_in_installer(inputs: &Inputs<'_>, again: &mut BTreeSet<Phase>) {
    if inputs.side == Side::Installer && inputs.state.has(Phase::Reboot) {
        warn(inputs, "the machine runs the installer again, so it has to restart once more");
        let later = [Phase::Reboot, Phase::Verify, Phase::Recovery, Phase::Sync, Phase::Rebuild];
        mark(inputs, &later, again);
    }
}

/// A configuration that was mended after `install` is installed again, unless the machine already
/// runs the old one: then `rebuild` brings the new one.
async fn changed_system(
    inputs: &Inputs<'_>,
    plan: &Plan,
    again: &mut BTreeSet<Phase>,
) -> Result<(), Failure> {
    let record = &inputs.state.record;
    let waiting = inputs.side == Side::Installer && !inputs.state.has(Phase::Verify);
    let Some(installed) = &record.installed else { return Ok(()) };
    if !waiting || !inputs.state.has(Phase::Install) {
        return Ok(());
    }
    let replaced = building::replaced(inputs.options, record);
    let wanted = if replaced.is_empty() {
        plan.system.install.as_ref().map(|wanted| wanted.out_path.clone())
    } else {
        // What the phase `lock` has put in for an input is not in what was evaluated for the facts.
        let (world, options) = (inputs.world, inputs.options);
        Some(building::system_now(world, options, &replaced, &plan.system.install_attr).await?)
    };
    if wanted.is_some_and(|wanted| wanted != *installed) {
        warn(inputs, "the configuration has changed since it was installed; it is installed again");
        mark(inputs, &[Phase::Install, Phase::Reboot], again);
    }
    Ok(())
}

/// What was done to a system is not done to the one that takes its place now. Phases that were
/// carried out alone (`--only`) may be recorded without those before them.
fn outdated(inputs: &Inputs<'_>, plan: &Plan, again: &mut BTreeSet<Phase>) {
    let new_system = [Phase::Disko, Phase::Install, Phase::Reboot];
    let Some(first) = new_system.into_iter().find(|phase| runs(plan, *phase)) else { return };
    let later: Vec<Phase> = Phase::ALL.into_iter().filter(|phase| *phase > first).collect();
    mark(inputs, &later, again);
}

/// The host's private keys: of a killed run, or from the target's /mnt. Where they are gone, new
/// ones are made, and what depended on the old ones is done again.
async fn host_keys(inputs: &Inputs<'_>, plan: &Plan, again: &mut BTreeSet<Phase>) -> HostKeys {
    let mut keys = HostKeys::default();
    if inputs.state.digest.is_none() || !inputs.state.has(Phase::Hostkey) {
        return keys;
    }
    for line in &inputs.state.record.host_keys {
        let Ok(public) = line.parse::<HostPublicKey>() else { continue };
        let of_killed = inputs.leftovers.host_keys.iter().find(|key| is_pair(key, &public));
        let key = match of_killed {
            Some(key) => Some(key.clone()),
            None if still_mounted(inputs) => on_target(inputs, plan, line, &public).await,
            None => None,
        };
        if let Some(key) = key {
            keys.insert(key);
        }
    }
    let complete = keys.iter().count() == inputs.state.record.host_keys.len();
    let installed = inputs.state.has(Phase::Install) && !again.contains(&Phase::Install);
    if !complete && !installed {
        let dependent = [Phase::Hostkey, Phase::Secrets, Phase::Lock, Phase::Install];
        mark(inputs, &dependent, again);
        return HostKeys::default();
    }
    keys
}

fn is_pair(key: &HostKey, public: &HostPublicKey) -> bool {
    key.public.parse::<HostPublicKey>().is_ok_and(|parsed| parsed == *public)
}

/// Takes the key back from where `install` has put it, if it got that far.
async fn on_target(
    inputs: &Inputs<'_>,
    plan: &Plan,
    line: &str,
    public: &HostPublicKey,
) -> Option<HostKey> {
    let kind = public.kind().strip_prefix("ssh-")?;
    let planned = plan.host_keys.iter().find(|key| key.kind == kind)?;
    for path in &planned.paths {
        let command = RemoteCommand::new("cat")
            .arg(format!("/mnt{path}"))
            .as_root()
            .limit(inputs.world.limits.command);
        let Ok(output) = inputs.connection.run(&command).await else { continue };
        let ok = output.ok();
        let private = Secret::new(output.stdout);
        if !ok {
            continue;
        }
        let Ok((_, found)) = host_key::read(&private) else { continue };
        let fits = found.parse::<HostPublicKey>().is_ok_and(|found| found == *public);
        if fits {
            let (kind, public) = (kind.to_owned(), line.to_owned());
            return Some(HostKey { kind, private, public });
        }
    }
    None
}
