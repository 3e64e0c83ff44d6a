//! Carries a plan out: questions first, then one phase after the other, a journal line after each,
//! a report at the end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::context::{Context, Done, Failure, FailureKind, PhaseRun, Side};
use super::decide::runs;
use super::event::Event;
use super::journal::Journal;
use super::phase::Phase;
use super::phases;
use super::plan::{Action, PassphraseSource};
use super::preflight::{Prepared, private_error, summary};
use super::private::random_passphrase;
use super::report::{Outcome, PhaseReport, Report, resume_command};
use super::stopwatch::millis;
use super::trust::ask;
use crate::process::this_program;
use crate::remote::stop_leftovers;
use crate::secrets::Secret;

/// A run that is over.
#[derive(Debug)]
pub struct Ended {
    /// The closing report, which the reporter has got as well.
    pub report: Report,
    /// Why it ended before its end, which the reporter has been told as well.
    pub failure: Option<Failure>,
}

/// Asks everything that has to be asked, before the first change.
pub async fn confirm(prepared: &mut Prepared) -> Result<(), Failure> {
    let plan = &prepared.plan;
    if plan.refused() {
        let reasons: Vec<&str> = plan.refusals.iter().map(|r| r.reason.as_str()).collect();
        let mut failure = Failure::new(format!("nothing was changed: {}", reasons.join("; ")));
        // The machine is not as the configuration needs it: the exit code of `plan`, too.
        failure.kind = FailureKind::Changed;
        failure.hints = plan.refusals.iter().map(|refusal| refusal.hint.clone()).collect();
        return Err(failure);
    }
    if !Phase::ALL.into_iter().any(|phase| phase != Phase::Preflight && runs(plan, phase)) {
        return Ok(());
    }
    let (host, erases) = (plan.host.to_string(), runs(plan, Phase::Disko));
    if !prepared.options.yes {
        if !prepared.options.interactive {
            return Err(Failure::new(
                "this has to be confirmed, but there is no terminal to ask on",
            )
            .hint("--yes confirms it beforehand")
            .kind(FailureKind::Usage));
        }
        confirmed(prepared, host, erases).await?;
    }
    // A machine that has restarted since has closed its containers.
    let before = prepared.state.record.installer_boot_id.as_ref();
    let closed = before != Some(&prepared.probe.boot_id);
    let opens = closed && runs(&prepared.plan, Phase::Install);
    if erases || opens {
        ask_passphrases(prepared, erases).await?;
    }
    if runs(&prepared.plan, Phase::Recovery) && !erases {
        ask_to_recover(prepared).await?;
    }
    Ok(())
}

async fn confirmed(prepared: &Prepared, host: String, erases: bool) -> Result<(), Failure> {
    let answer = if erases {
        let disks: Vec<_> = prepared.plan.disks.iter().map(|disk| disk.device.as_str()).collect();
        let question = format!(
            "Everything on {} of the machine at {} will be lost.",
            disks.join(" and "),
            prepared.plan.target.address
        );
        ask(&prepared.world, move |prompter| prompter.confirm_word(&question, &host)).await?
    } else {
        let question = format!("Go on with {host} as planned?");
        ask(&prepared.world, move |prompter| prompter.confirm(&question)).await?
    };
    if answer {
        return Ok(());
    }
    Err(Failure::new("not confirmed; nothing was changed").kind(FailureKind::Stopped))
}

/// Asks the passphrases that the user chooses: twice for a container that is made now.
async fn ask_passphrases(prepared: &mut Prepared, makes: bool) -> Result<(), Failure> {
    let asked = prepared.plan.encryption.iter();
    let asked = asked.filter(|c| c.passphrase == PassphraseSource::Asked).map(|c| c.name.clone());
    for name in asked.collect::<Vec<_>>() {
        if !prepared.options.interactive {
            return Err(Failure::new(format!("the passphrase of {name} has to be asked"))
                .hint("run this on a terminal without --yes, or configure a passwordFile")
                .kind(FailureKind::Usage));
        }
        let question = format!("Passphrase of {name}");
        let secret: Secret =
            ask(&prepared.world, move |prompter| prompter.passphrase(&question, makes)).await?;
        if secret.expose().is_empty() {
            return Err(
                Failure::new(format!("the passphrase of {name} is empty")).kind(FailureKind::Usage)
            );
        }
        prepared.passphrases.insert(name, secret, false);
    }
    Ok(())
}

/// Asks the passphrases with which recovery keys are added to disks that are made already. Where nobody
/// can be asked, the phase finds out whether it needs them.
async fn ask_to_recover(prepared: &mut Prepared) -> Result<(), Failure> {
    let unknown = prepared.plan.encryption.iter().map(|container| container.name.clone());
    let unknown = unknown.filter(|name| prepared.passphrases.get(name).is_none());
    for name in unknown.collect::<Vec<_>>() {
        if !prepared.options.interactive {
            return Ok(());
        }
        let question = format!("Passphrase of {name} as it is now");
        let secret = ask(&prepared.world, move |prompter| prompter.passphrase(&question, false));
        prepared.passphrases.insert(name, secret.await?, false);
    }
    Ok(())
}

/// Carries the plan out. The private directory is gone when this returns.
pub async fn run(prepared: Prepared) -> Ended {
    run_with(prepared, &phases::of).await
}

/// Finds what carries a phase out.
pub(super) type Find<'a> = dyn Fn(Phase) -> Option<Box<dyn PhaseRun>> + Send + Sync + 'a;

/// Like [`run`], with phases from elsewhere.
pub(super) async fn run_with(mut prepared: Prepared, find: &Find<'_>) -> Ended {
    let mut ledger = Ledger::new(&prepared);
    let failure = match begin(&mut prepared) {
        Err(failure) => Some(failure),
        Ok(mut journal) => {
            stop_what_was_left(&prepared).await;
            let ended = Box::pin(carry_out(&prepared, &mut journal, &mut ledger, find)).await;
            ended.err().or_else(|| end(journal, &prepared, &ledger).err())
        }
    };
    keep_or_forget_passphrases(&prepared, failure.is_some());
    let report = ledger.close(&prepared, failure.is_some());
    // Closing the connection has stopped counting; the secrets go with `prepared`.
    let reporter = Arc::clone(&prepared.world.reporter);
    drop(prepared);
    reporter.event(&Event::Finished { report: Box::new(report.clone()) });
    Ended { report, failure }
}

/// Without its one-time passphrase a disk that was made is lost: it stays until a run has ended well
/// in which the machine was unlocked.
fn keep_or_forget_passphrases(prepared: &Prepared, failed: bool) {
    let private = &prepared.private;
    let unlocked = prepared.side == Side::Installed || runs(&prepared.plan, Phase::Reboot);
    if unlocked && !failed {
        private.forget_passphrases();
    } else if private.stays() {
        let text = format!(
            "the one-time passphrases stay in {} for the next run",
            private.path().display()
        );
        prepared.world.reporter.event(&Event::Warning { phase: None, text });
    }
}

/// What a run that lost its connection left running on the target must not meet this run.
async fn stop_what_was_left(prepared: &Prepared) {
    if let Err(error) = stop_leftovers(&*prepared.connection).await {
        let text = format!("commands of an earlier run could not be looked for: {error}");
        prepared.world.reporter.event(&Event::Warning { phase: None, text });
    }
}

/// Writes down that the run begins, and keeps the secrets where the next run finds them.
fn begin(prepared: &mut Prepared) -> Result<Journal, Failure> {
    let mut journal = prepared
        .journal
        .take()
        .ok_or_else(|| Failure::new("this plan was made to be shown, not to be carried out"))?;
    let made = runs(&prepared.plan, Phase::Disko);
    for container in prepared.plan.encryption.iter().filter(|_| made) {
        let missing = prepared.passphrases.get(&container.name).is_none();
        if container.passphrase == PassphraseSource::OneTime && missing {
            let name = container.name.clone();
            prepared.passphrases.insert(name, random_passphrase(), true);
        }
    }
    let private = &prepared.private;
    private
        .keep_passphrases(&prepared.passphrases)
        .and_then(|()| private.keep_host_keys(&prepared.host_keys))
        .map_err(|error| private_error(private, &error))?;
    let plan = &prepared.plan;
    let (access, record) = (&prepared.access, &prepared.record);
    journal
        .started(&plan.host, &plan.flake, &plan.digest, access, record, &prepared.again)
        .map_err(|error| Failure::new(error.to_string()))?;
    Ok(journal)
}

/// What has happened so far, for the report.
struct Ledger {
    phases: Vec<PhaseReport>,
    changes: Vec<String>,
    next: Vec<String>,
}

impl Ledger {
    fn new(prepared: &Prepared) -> Self {
        let preflight = PhaseReport {
            phase: Phase::Preflight,
            outcome: Outcome::Done,
            millis: Some(prepared.millis),
            summary: summary(prepared),
        };
        Self { phases: vec![preflight], changes: Vec::new(), next: Vec::new() }
    }

    fn note(&mut self, phase: Phase, outcome: Outcome, millis: Option<u64>, summary: String) {
        self.phases.push(PhaseReport { phase, outcome, millis, summary });
    }

    fn close(self, prepared: &Prepared, failed: bool) -> Report {
        let mut phases = self.phases;
        for planned in &prepared.plan.phases {
            if !phases.iter().any(|report| report.phase == planned.phase) {
                let (outcome, summary) = (Outcome::NotReached, String::new());
                phases.push(PhaseReport { phase: planned.phase, outcome, millis: None, summary });
            }
        }
        Report {
            host: prepared.plan.host.to_string(),
            ok: !failed,
            millis: millis(prepared.clock.elapsed()),
            own_millis: millis(prepared.clock.own()),
            phases,
            changes: self.changes,
            next: self.next,
            resume: failed.then(|| resume_command(&prepared.options)),
        }
    }
}

async fn carry_out(
    prepared: &Prepared,
    journal: &mut Journal,
    ledger: &mut Ledger,
    find: &Find<'_>,
) -> Result<(), Failure> {
    let mut cx = context(prepared);
    let mut result = Ok(());
    for planned in &prepared.plan.phases {
        let phase = planned.phase;
        if phase == Phase::Preflight {
            continue;
        }
        cx.phase = phase;
        let step = match &planned.action {
            Action::Done => {
                done_before(prepared, ledger, phase);
                Ok(())
            }
            Action::Skip { reason } => {
                let reason = reason.clone();
                ledger.note(phase, Outcome::Skipped, None, reason.clone());
                prepared.world.reporter.event(&Event::PhaseSkipped { phase, reason });
                Ok(())
            }
            Action::Run => carry_out_one(&mut cx, journal, ledger, find).await,
        };
        if let Err(failure) = step {
            result = Err(failure);
            cx.next.extend(take_out_again(&cx));
            break;
        }
    }
    cx.disconnect().await;
    ledger.changes = std::mem::take(&mut cx.changes);
    ledger.next = std::mem::take(&mut cx.next);
    result
}

/// Whoever gives the host up before it has proved itself takes its keys out again with this.
fn take_out_again(cx: &Context<'_>) -> Option<String> {
    let secrets = cx.plan.secrets.as_ref()?;
    let in_flake = || cx.record.flake_files.iter().any(|file| file.ends_with(".sops.yaml"));
    let changed = !cx.record.secrets_files.is_empty() || in_flake();
    if !changed || cx.phase > Phase::Verify {
        return None;
    }
    let file = format!("{}/.sops.yaml", secrets.folder);
    let step = |words: &[&str]| this_program().arg("secrets").args(words).args(["--file", &file]);
    let name = secrets.name.as_str();
    // A host that is made again had a key, and perhaps still runs with it.
    let (what, edit) = if let Some(former) = &cx.record.former_recipient {
        ("give it its former key", vec!["set", name, former])
    } else {
        let user = secrets.user_key.as_ref().map(|key| key.name.as_str());
        ("take its keys out", ["remove", name].into_iter().chain(user).collect())
    };
    Some(format!(
        "if {} is given up, {what} again: {} && {}",
        cx.plan.host,
        step(&[&["sops-yaml"], &edit[..]].concat()),
        step(&["rekey"])
    ))
}

pub(super) fn context(prepared: &Prepared) -> Context<'_> {
    Context {
        world: &prepared.world,
        options: &prepared.options,
        facts: &prepared.facts,
        minimal: prepared.minimal.as_ref(),
        plan: &prepared.plan,
        phase: Phase::Preflight,
        access: &prepared.access,
        side: prepared.side,
        record: prepared.record.clone(),
        private: &prepared.private,
        host_keys: prepared.host_keys.clone(),
        passphrases: prepared.passphrases.clone(),
        connection: Some(Arc::clone(&prepared.connection)),
        clock: Arc::clone(&prepared.clock),
        changes: Vec::new(),
        next: Vec::new(),
    }
}

fn done_before(prepared: &Prepared, ledger: &mut Ledger, phase: Phase) {
    let finished = prepared.state.finished.iter().find(|finished| finished.phase == phase);
    let summary = finished.map(|finished| finished.summary.clone()).unwrap_or_default();
    ledger.note(phase, Outcome::Done, finished.map(|finished| finished.millis), summary);
    let reason = "done by the run before".to_owned();
    prepared.world.reporter.event(&Event::PhaseSkipped { phase, reason });
}

async fn carry_out_one(
    cx: &mut Context<'_>,
    journal: &mut Journal,
    ledger: &mut Ledger,
    find: &Find<'_>,
) -> Result<(), Failure> {
    let phase = cx.phase;
    let reporter = Arc::clone(&cx.world.reporter);
    reporter.event(&Event::PhaseStarted { phase });
    let started = Instant::now();
    let done = within_stop(cx, find).await;
    let millis = millis(started.elapsed());
    let finished = match done {
        Ok(Done { summary }) => journal
            .finished(phase, millis, &summary, &cx.record)
            .map(|()| summary)
            .map_err(|error| Failure::new(error.to_string())),
        Err(failure) => Err(failure),
    };
    match finished {
        Ok(summary) => {
            ledger.note(phase, Outcome::Done, Some(millis), summary.clone());
            reporter.event(&Event::PhaseFinished { phase, millis, summary });
            Ok(())
        }
        Err(failure) => {
            // The journal may be what has failed; the phase's own failure says more.
            if let Err(error) = journal.ended(phase, &failure.error) {
                cx.warn(error.to_string());
            }
            ledger.note(phase, Outcome::Failed, Some(millis), failure.error.clone());
            let (error, hints) = (failure.error.clone(), failure.hints.clone());
            reporter.event(&Event::PhaseFailed { phase, millis, error, hints });
            Err(failure)
        }
    }
}

/// Runs the phase. After Ctrl-C it has some seconds to stop what it has started here and there.
async fn within_stop(cx: &mut Context<'_>, find: &Find<'_>) -> Result<Done, Failure> {
    let cancel = cx.world.cancel.clone();
    if cancel.is_cancelled() {
        return Err(Failure::stopped());
    }
    let Some(run) = find(cx.phase) else {
        return Err(Failure::new(format!("nothing carries out the phase {}", cx.phase)));
    };
    let stop = cx.world.limits.stop;
    let given_up = async {
        cancel.cancelled().await;
        tokio::time::sleep(stop).await;
    };
    let done = tokio::select! {
        done = run.run(cx) => done,
        () = given_up => Err(Failure::stopped()),
    };
    done.map_err(|failure| {
        if cancel.is_cancelled() {
            Failure { kind: FailureKind::Stopped, ..failure }
        } else {
            failure
        }
    })
}

/// Puts the journal away, unless the user carries the phases out one by one.
fn end(journal: Journal, prepared: &Prepared, ledger: &Ledger) -> Result<Option<PathBuf>, Failure> {
    let unreached = |report: &PhaseReport| {
        report.outcome == Outcome::Skipped && !prepared.options.phases.wants(report.phase)
    };
    // On a host that is there already, single phases may be wanted again and again.
    let installs = |report: &PhaseReport| {
        let phase = matches!(
            report.phase,
            Phase::Hostkey | Phase::Hardware | Phase::Disko | Phase::Install | Phase::Reboot
        );
        phase && report.outcome == Outcome::Done
    };
    let one_by_one = !prepared.options.phases.only.is_empty();
    let phases = &ledger.phases;
    if one_by_one && phases.iter().any(installs) && phases.iter().any(unreached) {
        return Ok(None);
    }
    journal.archive().map(Some).map_err(|error| Failure::new(error.to_string()))
}

#[cfg(test)]
mod tests;
