//! Runs against a scripted machine: interruptions at every phase, and going on after them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::context::{Failure, FailureKind, Side};
use super::super::journal;
use super::super::lock::RunLock;
use super::super::options::TrustedKey;
use super::super::preflight::{Purpose, prepare};
use super::super::testing::{Stage, sh};
use super::*;
use crate::facts::{Encryption, KeySource};
use async_trait::async_trait;

mod nix;

/// How a phase ends before its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// The phase fails.
    Fails,
    /// Ctrl-C while it waits for something that never comes.
    CtrlC,
    /// The whole process is killed: its private directory stays.
    Kill,
}

#[derive(Clone)]
struct Phases {
    log: Arc<Mutex<Vec<Phase>>>,
    trouble: Arc<Mutex<Option<(Phase, Trouble)>>>,
    stage: Arc<Stage>,
}

struct Played(Phases);

#[async_trait]
impl PhaseRun for Played {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        let Phases { log, trouble, stage } = &self.0;
        let phase = cx.phase;
        let due = trouble.lock().unwrap().take_if(|(due, _)| *due == phase);
        match due {
            Some((_, Trouble::Fails)) => return Err(Failure::new("broken").hint("mend it")),
            Some((_, Trouble::CtrlC)) => {
                stage.cancel.cancel();
                std::future::pending::<()>().await;
            }
            Some((_, Trouble::Kill)) => {
                leave_behind(cx.private.path(), &stage.path("private"));
                return Err(Failure::new("killed"));
            }
            None => {}
        }
        match phase {
            Phase::Hostkey => drop(phases::of(phase).unwrap().run(cx).await?),
            Phase::Disko if cx.passphrases.one_time().next().is_some() => {
                cx.private.need_passphrases();
            }
            Phase::Install => {
                let key = cx.host_keys.get("ed25519").unwrap();
                assert_eq!(
                    cx.record.host_keys,
                    std::slice::from_ref(&key.public),
                    "another key than recorded"
                );
                let toplevel = cx.facts.toplevel().unwrap();
                cx.record.installed = Some(toplevel.out_path.clone());
                // As if `lock` had replaced an input.
                if let Some(system) = stage.flake.replaced_system.lock().unwrap().clone() {
                    cx.record.secrets_input = Some(("secrets".into(), secrets(stage)));
                    cx.record.installed = Some(system);
                }
            }
            Phase::Reboot => {
                if cx.side == Side::Installer {
                    stage.machine.boot_installed(&cx.record.host_keys[0]);
                }
                cx.disconnect().await;
                cx.side = Side::Installed;
                cx.remote().await?;
            }
            Phase::Verify => {
                assert_eq!(cx.side, Side::Installed);
                cx.remote().await?;
            }
            _ => {}
        }
        log.lock().unwrap().push(phase);
        cx.changes.push(format!("{phase} done"));
        Ok(Done::new(format!("{phase} went well")))
    }
}

/// A folder whose name means much in a URL.
const SECRETS: &str = "s e#c?r%20é";

/// What `lock` puts in the place of the secrets.
fn secrets(stage: &Stage) -> String {
    super::super::flake_lock::reference(stage.path(SECRETS).to_str().unwrap(), false)
}

/// Copies a private directory as that of a process that is gone.
fn leave_behind(dir: &std::path::Path, base: &std::path::Path) {
    let copy = base.join("nixos-bootstrap-dead");
    sh(base, &format!("cp -a '{}' '{}'", dir.display(), copy.display()));
    disown(&copy);
}

/// Makes a private directory look like that of a process that is gone.
fn disown(dir: &std::path::Path) {
    let marker = dir.join("owner.json");
    let text = std::fs::read_to_string(&marker).unwrap();
    let text = text.replace("\"started\":", "\"started\":9");
    std::fs::write(&marker, text).unwrap();
}

impl Phases {
    fn new() -> Self {
        let stage = Arc::new(Stage::new());
        Self { log: Arc::default(), trouble: Arc::default(), stage }
    }

    /// The phases that were carried out so far.
    fn log(&self) -> Vec<Phase> {
        self.log.lock().unwrap().clone()
    }

    async fn run(&self) -> Result<Ended, Failure> {
        self.run_only(&[]).await
    }

    /// Carries out only these phases, or all.
    async fn run_only(&self, only: &[Phase]) -> Result<Ended, Failure> {
        let mut options = self.stage.options();
        options.phases.only = only.iter().copied().collect();
        options.host_key = Some(TrustedKey::Key(self.stage.machine.installer_key()));
        let mut world = self.stage.world();
        // A new process has a new token.
        if world.cancel.is_cancelled() {
            world.cancel = tokio_util::sync::CancellationToken::new();
            world.runner = Arc::new(crate::process::RealRunner::default());
        }
        let mut prepared = prepare(&world, &options, Purpose::Run).await?;
        confirm(&mut prepared).await?;
        let find = |_| Some(Box::new(Played(self.clone())) as Box<dyn PhaseRun>);
        Ok(run_with(prepared, &find).await)
    }

    async fn run_into(&self, phase: Phase, trouble: Trouble) -> Ended {
        *self.trouble.lock().unwrap() = Some((phase, trouble));
        self.run().await.unwrap()
    }

    fn state(&self) -> journal::State {
        let options = self.stage.options();
        let name = journal::run_name(&options.host, &options.flake, options.flake_dir.as_deref());
        journal::read(&self.stage.path("state"), &name).unwrap()
    }
}

/// The phases of a run of this host from beginning to end.
const WHOLE: [Phase; 7] = [
    Phase::Hostkey,
    Phase::Hardware,
    Phase::Disko,
    Phase::Install,
    Phase::Reboot,
    Phase::Verify,
    Phase::Sync,
];

#[tokio::test]
async fn a_whole_run_does_every_phase_and_leaves_no_secret() {
    let phases = Phases::new();
    let ended = phases.run().await.unwrap();
    assert_eq!(ended.failure, None);
    assert_eq!(phases.log(), WHOLE);
    assert!(ended.report.ok && ended.report.resume.is_none());
    assert_eq!(ended.report.phases.len(), Phase::ALL.len());
    assert_eq!(ended.report.changes.len(), WHOLE.len());
    assert!(ended.report.own_millis <= ended.report.millis);
    assert_eq!(phases.stage.private_left(), 0);
    assert_eq!(phases.state(), journal::State::default(), "the next run would not start fresh");
    assert_eq!(phases.stage.machine.connections(), 2, "one for each side");
}

#[tokio::test]
async fn what_was_carried_out_alone_does_not_count_for_a_later_installation() {
    let phases = Phases::new();
    phases.run_only(&[Phase::Sync]).await.unwrap();
    assert_eq!(phases.state(), journal::State::default(), "no installation was begun");
    // One by one, the journal goes on; but not with what an older system got.
    phases.run_only(&[Phase::Hardware]).await.unwrap();
    phases.run_only(&[Phase::Sync]).await.unwrap();
    assert!(phases.state().has(Phase::Hardware) && phases.state().has(Phase::Sync));
    phases.run().await.unwrap();
    let alone = [Phase::Sync, Phase::Hardware, Phase::Sync];
    let whole = WHOLE.into_iter().filter(|phase| *phase != Phase::Hardware);
    assert_eq!(phases.log(), alone.into_iter().chain(whole).collect::<Vec<_>>());
    assert_eq!(phases.state(), journal::State::default());
}

#[tokio::test]
async fn killed_in_any_phase_the_next_run_does_the_rest_exactly_once() {
    for phase in WHOLE {
        let phases = Phases::new();
        let ended = phases.run_into(phase, Trouble::Kill).await;
        assert!(ended.failure.is_some());
        let ended = phases.run().await.unwrap();
        assert_eq!(ended.failure, None, "after a kill in {phase}");
        assert_eq!(phases.log(), WHOLE, "after a kill in {phase}");
        assert_eq!(phases.stage.private_left(), 0);
    }
}

#[tokio::test]
async fn after_a_failure_only_a_lost_key_is_made_anew() {
    for phase in WHOLE {
        let phases = Phases::new();
        let ended = phases.run_into(phase, Trouble::Fails).await;
        let resume = ended.report.resume.unwrap();
        assert!(resume.starts_with("nixos-bootstrap bootstrap grief"), "{resume}");
        assert_eq!(phases.stage.private_left(), 0, "a failure in {phase} left secrets");
        assert!(!phases.state().has(phase));
        let ended = phases.run().await.unwrap();
        assert_eq!(ended.failure, None, "after a failure in {phase}");
        let log = phases.log();
        let rest = WHOLE.iter().filter(|done| **done != Phase::Hostkey);
        for other in rest {
            assert_eq!(log.iter().filter(|done| *done == other).count(), 1, "{phase}: {log:?}");
        }
    }
}

fn encrypted(name: &str) -> Encryption {
    Encryption {
        name: name.to_owned(),
        option: "disko.devices.disk.main.content".to_owned(),
        key: KeySource::PasswordFile { path: "/tmp/key".parse().unwrap() },
        additional_key_files: Vec::new(),
    }
}

#[tokio::test]
async fn the_passphrase_of_a_disk_that_was_made_stays_until_the_machine_was_unlocked() {
    let phases = Phases::new();
    phases.stage.flake.facts.lock().unwrap().encryption.push(encrypted("root"));
    let left = || {
        let dirs = std::fs::read_dir(phases.stage.path("private")).unwrap();
        let [dir] = <[_; 1]>::try_from(dirs.collect::<Vec<_>>()).unwrap();
        let dir = dir.unwrap().path();
        disown(&dir);
        assert!(!dir.join("ssh_host_ed25519_key").exists());
        std::fs::read_to_string(dir.join("passphrases.json")).unwrap()
    };
    phases.run_into(Phase::Hardware, Trouble::Fails).await;
    assert_eq!(phases.stage.private_left(), 0, "no disk was made");

    phases.run_into(Phase::Install, Trouble::Fails).await;
    let passphrase = left();
    assert!(passphrase.contains("root"), "{passphrase}");
    // A run that does not get far hands it on, and says where it is: the machine may wait for it.
    let rename = |name: &str| {
        phases.stage.flake.facts.lock().unwrap().name = name.parse().unwrap();
    };
    rename("another");
    phases.run().await.unwrap_err();
    assert_eq!(left(), passphrase);
    let told = phases.stage.events.all();
    let told = told.iter().rev().find_map(|event| match event {
        Event::Warning { text, .. } => text.split_once("run before, is in "),
        _ => None,
    });
    let file = told.unwrap().1.split_once(" until").unwrap().0;
    assert!(passphrase.contains(&std::fs::read_to_string(file).unwrap()), "{file}");
    rename("grief");
    phases.run_into(Phase::Verify, Trouble::CtrlC).await;
    assert_eq!(left(), passphrase);
    let told =
        |event: &Event| matches!(event, Event::Warning { text, .. } if text.contains("stay in"));
    assert_eq!(phases.stage.events.all().iter().filter(|event| told(event)).count(), 2);
    assert_eq!(phases.run().await.unwrap().failure, None);
    assert_eq!(phases.stage.private_left(), 0);
}

#[tokio::test]
async fn ctrl_c_in_any_phase_leaves_no_secret_and_a_true_journal() {
    for (index, phase) in WHOLE.into_iter().enumerate() {
        let phases = Phases::new();
        let ended = phases.run_into(phase, Trouble::CtrlC).await;
        assert_eq!(ended.failure.unwrap().kind, FailureKind::Stopped);
        assert_eq!(phases.stage.private_left(), 0, "Ctrl-C in {phase} left secrets");
        let finished: Vec<_> = phases.state().finished.iter().map(|done| done.phase).collect();
        assert_eq!(finished, WHOLE[..index], "Ctrl-C in {phase}");
        let outcomes = ended.report.phases;
        let failed = outcomes.iter().find(|report| report.outcome == Outcome::Failed).unwrap();
        assert_eq!(failed.phase, phase);
    }
}

#[tokio::test]
async fn killed_while_the_machine_restarts_the_installed_host_is_recognised() {
    let phases = Phases::new();
    phases.run_into(Phase::Reboot, Trouble::Kill).await;
    phases.stage.machine.boot_installed(&phases.state().record.host_keys[0]);
    let ended = phases.run().await.unwrap();
    assert_eq!(ended.failure, None);
    assert_eq!(phases.log(), WHOLE);
}

#[tokio::test]
async fn a_key_that_is_on_the_target_already_is_taken_back() {
    let phases = Phases::new();
    let keys: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
    phases.run_into(Phase::Install, Trouble::Kill).await;
    let dead = phases.stage.path("private/nixos-bootstrap-dead");
    *keys.lock().unwrap() = Some(std::fs::read(dead.join("ssh_host_ed25519_key")).unwrap());
    std::fs::remove_dir_all(dead).unwrap();
    let private = keys.lock().unwrap().take().unwrap();
    phases.stage.machine.put("/mnt/etc/ssh/ssh_host_ed25519_key", &private);
    assert_eq!(phases.run().await.unwrap().failure, None);
    assert_eq!(phases.log(), WHOLE);
}

#[tokio::test]
async fn a_mended_configuration_is_installed_again() {
    let phases = Phases::new();
    phases.run_into(Phase::Reboot, Trouble::Kill).await;
    let new = "/nix/store/ar2knphxg8yyy2mkq8akf2hfknjvdiz7-system".parse().unwrap();
    phases
        .stage
        .flake
        .facts
        .lock()
        .unwrap()
        .outputs
        .as_mut()
        .unwrap()
        .toplevel
        .as_mut()
        .unwrap()
        .out_path = new;
    assert_eq!(phases.run().await.unwrap().failure, None);
    let installs = phases.log().iter().filter(|phase| **phase == Phase::Install).count();
    assert_eq!(installs, 2);
}

#[tokio::test]
async fn a_configuration_is_compared_with_the_input_that_lock_has_replaced() {
    let system = |letter: &str| {
        let path = format!("/nix/store/{letter}r2knphxg8yyy2mkq8akf2hfknjvdiz7-system");
        Some(path.parse().unwrap())
    };
    for (now, expected) in [("b", 1), ("c", 2)] {
        let phases = Phases::new();
        *phases.stage.flake.replaced_system.lock().unwrap() = system("b");
        phases.run_into(Phase::Reboot, Trouble::Kill).await;
        *phases.stage.flake.replaced_system.lock().unwrap() = system(now);
        assert_eq!(phases.run().await.unwrap().failure, None);
        let installs = phases.log().iter().filter(|phase| **phase == Phase::Install).count();
        assert_eq!(installs, expected, "{now}");
    }
}

#[tokio::test]
async fn another_layout_stops_the_run_until_restart() {
    let phases = Phases::new();
    phases.run_into(Phase::Install, Trouble::Fails).await;
    phases.stage.flake.facts.lock().unwrap().persist_dir = Some("/persist".parse().unwrap());
    let failure = phases.run().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Changed);
    assert!(failure.hints.iter().any(|hint| hint.contains("--restart")), "{failure:?}");
    let mut options = phases.stage.options();
    options.restart = true;
    let prepared = prepare(&phases.stage.world(), &options, Purpose::Run).await.unwrap();
    assert!(runs(&prepared.plan, Phase::Hostkey));
}

#[tokio::test]
async fn one_run_at_a_time() {
    let stage = Stage::new();
    let options = stage.options();
    let name = journal::run_name(&options.host, &options.flake, options.flake_dir.as_deref());
    let lock = RunLock::take(&stage.path("state"), &name, &options.host).unwrap();
    let failure = prepare(&stage.world(), &options, Purpose::Run).await.err().unwrap();
    assert!(failure.error.contains("another run is installing grief"), "{failure:?}");
    // To look at the plan is always allowed.
    assert!(prepare(&stage.world(), &options, Purpose::Show).await.is_ok());
    drop(lock);
    assert!(prepare(&stage.world(), &options, Purpose::Run).await.is_ok());
}

#[tokio::test]
async fn an_unknown_host_key_is_never_taken_silently() {
    let stage = Stage::new();
    let mut options = stage.options();
    options.host_key = None;
    let failure = prepare(&stage.world(), &options, Purpose::Run).await.err().unwrap();
    assert_eq!(failure.kind, FailureKind::Usage);
    assert!(failure.hints.iter().any(|hint| hint.contains("--host-key SHA256:")), "{failure:?}");

    let other = format!("SHA256:{}", "A".repeat(43));
    options.host_key = Some(other.parse().unwrap());
    let failure = prepare(&stage.world(), &options, Purpose::Run).await.err().unwrap();
    assert_eq!(failure.kind, FailureKind::Changed);

    options.host_key = None;
    options.interactive = true;
    options.identity = Some(stage.path("no-such-key"));
    let failure = prepare(&stage.world(), &options, Purpose::Run).await.err().unwrap();
    assert!(failure.error.contains("no-such-key does not exist"), "{failure:?}");
    assert!(stage.person.asked.lock().unwrap().is_empty(), "asked in vain");
    options.identity = None;
    let failure = prepare(&stage.world(), &options, Purpose::Run).await.err().unwrap();
    assert_eq!(failure.kind, FailureKind::Stopped, "\"no\" was not heard");
    stage.person.yes.store(true, Ordering::Relaxed);
    let prepared = prepare(&stage.world(), &options, Purpose::Run).await.unwrap();
    let key = stage.machine.installer_key().to_string();
    assert_eq!(prepared.record.installer_keys, std::slice::from_ref(&key));
    assert!(!stage.path("known_hosts").exists(), "the user's own file was changed");
    drop(prepared);

    options.interactive = false;
    std::fs::write(stage.path("known_hosts"), format!("10.0.0.1 {key}\n")).unwrap();
    assert!(prepare(&stage.world(), &options, Purpose::Run).await.is_ok());
    stage.machine.restart_installer();
    let failure = prepare(&stage.world(), &options, Purpose::Run).await.err().unwrap();
    assert_eq!(failure.kind, FailureKind::Changed);
}

#[tokio::test]
async fn disks_are_only_erased_after_the_right_word() {
    let stage = Stage::new();
    let mut options = stage.options();
    options.yes = false;
    let world = stage.world();
    let mut prepared = prepare(&world, &options, Purpose::Run).await.unwrap();
    assert_eq!(confirm(&mut prepared).await.unwrap_err().kind, FailureKind::Usage);
    prepared.options.interactive = true;
    assert_eq!(confirm(&mut prepared).await.unwrap_err().kind, FailureKind::Stopped);
    "grief".clone_into(&mut stage.person.typed.lock().unwrap());
    confirm(&mut prepared).await.unwrap();
    let asked = stage.person.asked.lock().unwrap().join("\n");
    assert!(asked.contains("/dev/vda"), "{asked}");
}

#[tokio::test]
async fn a_recovery_key_for_a_disk_that_is_there_takes_its_passphrase() {
    let stage = Stage::new();
    {
        let mut facts = stage.flake.facts.lock().unwrap();
        facts.encryption.push(encrypted("root"));
        facts.bootstrap.secrets_file = Some("s.yaml".to_owned());
    }
    let rules = "keys: [&ta age1x]\ncreation_rules:\n- {path_regex: s\\.yaml$, age: *ta}\n";
    std::fs::write(stage.path("flake/.sops.yaml"), rules).unwrap();
    let mut options = stage.options();
    options.luks_recovery = true;
    options.phases.only = [Phase::Recovery].into();
    let world = stage.world();
    let mut prepared = prepare(&world, &options, Purpose::Run).await.unwrap();
    confirm(&mut prepared).await.unwrap();
    assert_eq!(prepared.passphrases.get("root"), None, "nobody could be asked");
    prepared.options.interactive = true;
    confirm(&mut prepared).await.unwrap();
    assert_eq!(prepared.passphrases.get("root"), Some(&Secret::new("typed")));
    assert_eq!(prepared.passphrases.one_time().count(), 0, "it would be told and kept");
    let asked = stage.person.asked.lock().unwrap().join("\n");
    assert!(asked.contains("Passphrase of root as it is now"), "{asked}");
}

#[test]
fn a_signal_ends_a_run_whose_question_nobody_answers() {
    let stage = Stage::new();
    let mut options = stage.options();
    (options.yes, options.interactive) = (false, true);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let prepared = runtime.block_on(prepare(&stage.world(), &options, Purpose::Run));
    let mut prepared = prepared.unwrap();
    // The person's answer has to wait for this.
    let typed = stage.person.typed.lock().unwrap();
    stage.cancel.cancel();
    let confirmed =
        async { tokio::time::timeout(Duration::from_secs(10), confirm(&mut prepared)).await };
    let ended = runtime.block_on(confirmed);
    drop(typed);
    assert_eq!(ended.unwrap().unwrap_err().kind, FailureKind::Stopped);
}

#[tokio::test]
async fn an_unknown_host_ends_the_run_before_anything_else() {
    let stage = Stage::new();
    let mut options = stage.options();
    options.host = "greif".parse().unwrap();
    let failure = prepare(&stage.world(), &options, Purpose::Run).await.err().unwrap();
    assert_eq!(failure.kind, FailureKind::Usage);
    assert!(failure.error.contains("grief"), "{failure:?}");
    assert_eq!(stage.private_left(), 0);
    let failed =
        |event: &Event| matches!(event, Event::PhaseFailed { phase: Phase::Preflight, .. });
    assert!(stage.events.all().iter().any(failed));
}

#[tokio::test]
async fn ctrl_c_during_preflight_leaves_nothing() {
    struct Never;
    #[async_trait]
    impl crate::facts::Evaluator for Never {
        async fn hosts(
            &self,
            _: &str,
        ) -> Result<crate::facts::EachHost<crate::facts::HostSummary>, crate::facts::EvalError>
        {
            std::future::pending().await
        }
        async fn facts(
            &self,
            _: &str,
            _: &crate::validated::HostName,
            _: crate::facts::Scope,
        ) -> Result<crate::facts::HostFacts, crate::facts::EvalError> {
            std::future::pending().await
        }
        async fn facts_of_all(
            &self,
            _: &str,
            _: crate::facts::Scope,
        ) -> Result<crate::facts::EachHost<crate::facts::HostFacts>, crate::facts::EvalError>
        {
            std::future::pending().await
        }
    }
    let stage = Stage::new();
    let mut world = stage.world();
    world.evaluator = Arc::new(Never);
    let (cancel, seen) = (stage.cancel.clone(), Arc::new(AtomicBool::new(false)));
    let task = {
        let (options, seen) = (stage.options(), Arc::clone(&seen));
        tokio::spawn(async move {
            let failure = prepare(&world, &options, Purpose::Run).await.err().unwrap();
            seen.store(true, Ordering::Relaxed);
            failure
        })
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!seen.load(Ordering::Relaxed));
    cancel.cancel();
    assert_eq!(task.await.unwrap().kind, FailureKind::Stopped);
    assert_eq!(stage.private_left(), 0);
}

#[tokio::test]
async fn whoever_gives_up_before_verify_is_told_the_command_that_takes_the_keys_out() {
    let stage = Stage::new();
    let mut prepared = prepare(&stage.world(), &stage.options(), Purpose::Show).await.unwrap();
    prepared.plan.secrets = Some(super::super::plan::PlannedSecrets {
        folder: "/home/ta/nix secrets".to_owned(),
        name: "grief".to_owned(),
        files: Vec::new(),
        user_key: None,
        input: None,
    });
    let mut cx = context(&prepared);
    cx.phase = Phase::Disko;
    assert_eq!(take_out_again(&cx), None, "nothing was changed yet");
    cx.record.secrets_files.insert(".sops.yaml".to_owned());
    let file = "--file '/home/ta/nix secrets/.sops.yaml'";
    let rekey = format!("{file} && nixos-bootstrap secrets rekey {file}");
    let told = take_out_again(&cx).unwrap();
    assert!(told.ends_with(&format!("secrets sops-yaml remove grief {rekey}")), "{told}");
    // It had another key before, with which it may still run.
    cx.record.former_recipient = Some("age1former".to_owned());
    let told = take_out_again(&cx).unwrap();
    assert!(told.ends_with(&format!("secrets sops-yaml set grief age1former {rekey}")), "{told}");
    cx.phase = Phase::Sync;
    assert_eq!(take_out_again(&cx), None, "it has proved itself");
    // Secrets in the flake itself.
    cx.phase = Phase::Install;
    cx.record.secrets_files.clear();
    assert_eq!(take_out_again(&cx), None);
    cx.record.flake_files.insert("secrets/.sops.yaml".to_owned());
    assert!(take_out_again(&cx).is_some());
}
