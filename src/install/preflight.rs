//! Preflight: evaluates, connects, looks at the machine and plans. Nothing changes here or there,
//! but for the run's own private directory.

use std::path::PathBuf;
use std::sync::Arc;

use super::context::{Access, Door, Failure, FailureKind, Side, World};
use super::event::Event;
use super::journal::{self, Journal, State};
use super::lock::RunLock;
use super::options::{Options, Via};
use super::phase::Phase;
use super::plan::Plan;
use super::private::{HostKeys, Leftovers, Passphrases, PrivateDir};
use super::record::Record;
use super::resume;
use super::stopwatch::{Stopwatch, millis};
use super::surroundings::{Surroundings, look_around};
use super::trust::{Reached, Way, reach};
use crate::facts::{EvalError, HostFacts, Scope, installer_flake};
use crate::remote::{Connection, Probe, ProbeError, probe};
use crate::validated::UserName;

/// What the plan is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be shown: no lock is taken, no journal written.
    Show,
    /// To be carried out.
    Run,
}

/// Everything that a run needs, with nothing changed yet.
pub struct Prepared {
    /// The world, its waits counted.
    pub world: World,
    /// The wishes, completed by answers.
    pub options: Options,
    /// The facts of the full configuration.
    pub facts: HostFacts,
    /// The facts of the minimal configuration, where the flake has one.
    pub minimal: Option<HostFacts>,
    /// The live machine.
    pub probe: Probe,
    /// This machine.
    pub around: Surroundings,
    /// What will be done.
    pub plan: Plan,
    /// How the target is reached.
    pub access: Access,
    /// Which system of the target answers.
    pub side: Side,
    pub(super) clock: Arc<Stopwatch>,
    pub(super) connection: Arc<dyn Connection>,
    pub(super) private: PrivateDir,
    pub(super) record: Record,
    pub(super) host_keys: HostKeys,
    pub(super) passphrases: Passphrases,
    /// What the journal says of an interrupted run.
    pub(super) state: State,
    /// Finished phases that have to be done again.
    pub(super) again: Vec<Phase>,
    pub(super) millis: u64,
    pub(super) journal: Option<Journal>,
    #[expect(dead_code, reason = "held until the run is over")]
    pub(super) lock: Option<RunLock>,
}

impl Prepared {
    /// Ends the connection and forgets all secrets, for a plan that is not carried out.
    pub async fn close(self) {
        self.connection.close().await;
    }
}

/// Evaluates, connects, probes and plans. The reporter is told, of a failure too.
pub async fn prepare(
    world: &World,
    options: &Options,
    purpose: Purpose,
) -> Result<Prepared, Failure> {
    let clock = Stopwatch::start();
    let world = clock.watch(world);
    let phase = Phase::Preflight;
    world.reporter.event(&Event::PhaseStarted { phase });
    let preflight = Preflight { world: world.clone(), clock: Arc::clone(&clock), purpose };
    let prepared = tokio::select! {
        prepared = Box::pin(preflight.prepare(options.clone())) => prepared,
        () = world.cancel.cancelled() => Err(Failure::stopped()),
    };
    let millis = millis(clock.elapsed());
    match prepared {
        Ok(mut prepared) => {
            prepared.millis = millis;
            let plan = Box::new(prepared.plan.clone());
            world.reporter.event(&Event::Planned { plan });
            let summary = summary(&prepared);
            world.reporter.event(&Event::PhaseFinished { phase, millis, summary });
            Ok(prepared)
        }
        Err(failure) => {
            let (error, hints) = (failure.error.clone(), failure.hints.clone());
            world.reporter.event(&Event::PhaseFailed { phase, millis, error, hints });
            Err(failure)
        }
    }
}

pub(super) fn summary(prepared: &Prepared) -> String {
    let plan = &prepared.plan;
    let place =
        format!("{} port {}", plan.target.address, prepared.access.door(prepared.side).port);
    match plan.refusals.len() {
        0 => format!("{} at {place} is as the configuration needs it", plan.host),
        1 => format!("{} at {place}: there is a reason not to go on", plan.host),
        count => format!("{} at {place}: there are {count} reasons not to go on", plan.host),
    }
}

pub(super) struct Preflight {
    pub(super) world: World,
    clock: Arc<Stopwatch>,
    purpose: Purpose,
}

impl Preflight {
    async fn prepare(self, mut options: Options) -> Result<Prepared, Failure> {
        let dir = self.world.state_dir.clone();
        let name = journal::run_name(&options.host, &options.flake, options.flake_dir.as_deref());
        let lock = match self.purpose {
            Purpose::Show => None,
            Purpose::Run => Some(take_lock(&dir, &name, &options)?),
        };
        let (journal, state) = self.journal(&dir, &name, &options)?;
        let private = self.private(&name)?;
        let leftovers = match self.purpose {
            Purpose::Run => private
                .take_up_leftovers(&self.world.private_bases, &name)
                .map_err(|error| private_error(&private, &error))?,
            Purpose::Show => Leftovers::default(),
        };
        if !options.restart {
            self.tell_kept_passphrases(&private, &leftovers)?;
        }
        let (facts, minimal, access, reached) =
            self.evaluate_and_reach(&mut options, &state, &private).await?;
        self.step("look at the machine");
        let probe = probe(&*reached.connection).await.map_err(probe_failure)?;
        let mut around = look_around(&*self.world.runner, &options, &facts).await;
        let resumed = resume::reconcile(resume::Inputs {
            world: &self.world,
            options: &options,
            facts: &facts,
            minimal: minimal.as_ref(),
            probe: &probe,
            around: &mut around,
            state: &state,
            side: reached.side,
            connection: &*reached.connection,
            leftovers: if options.restart { Leftovers::default() } else { leftovers },
        })
        .await?;
        let access = settled(access, &resumed.plan);
        self.check_digest(&state, &resumed.plan)?;
        let mut record = reached.record;
        if reached.side == Side::Installer {
            record.installer_boot_id = Some(probe.boot_id.clone());
        }
        Ok(Prepared {
            world: self.world,
            options,
            facts,
            minimal,
            probe,
            around,
            plan: resumed.plan,
            access,
            side: reached.side,
            clock: self.clock,
            connection: reached.connection,
            private,
            record,
            host_keys: resumed.host_keys,
            passphrases: resumed.passphrases,
            state,
            again: resumed.again,
            millis: 0,
            journal,
            lock,
        })
    }

    pub(super) fn step(&self, text: &str) {
        let text = text.to_owned();
        self.world.reporter.event(&Event::Step { phase: Phase::Preflight, text });
    }

    pub(super) fn warn(&self, text: String) {
        let phase = Some(Phase::Preflight);
        self.world.reporter.event(&Event::Warning { phase, text });
    }

    fn journal(
        &self,
        dir: &std::path::Path,
        name: &str,
        options: &Options,
    ) -> Result<(Option<Journal>, State), Failure> {
        let unreadable = |error: journal::JournalError| {
            Failure::new(error.to_string()).hint("--restart puts it aside and starts anew")
        };
        if options.restart && self.purpose == Purpose::Show {
            return Ok((None, State::default()));
        }
        if options.restart {
            journal::set_aside(dir, name).map_err(|error| Failure::new(error.to_string()))?;
        }
        match self.purpose {
            Purpose::Show => Ok((None, journal::read(dir, name).map_err(unreadable)?)),
            Purpose::Run => {
                let (journal, state) = Journal::open(dir, name).map_err(unreadable)?;
                Ok((Some(journal), state))
            }
        }
    }

    /// The machine may wait for such a passphrase right now, and be out of reach because of it.
    fn tell_kept_passphrases(
        &self,
        private: &PrivateDir,
        leftovers: &Leftovers,
    ) -> Result<(), Failure> {
        for (name, secret) in leftovers.passphrases.one_time() {
            let path = private
                .tell_passphrase(name, secret)
                .map_err(|error| private_error(private, &error))?;
            let text = format!(
                "the one-time passphrase of {name}, made by the run before, is in {} until a run \
                 succeeds",
                path.display()
            );
            let phase = Some(Phase::Preflight);
            self.world.reporter.event(&Event::Warning { phase, text });
        }
        Ok(())
    }

    fn private(&self, name: &str) -> Result<PrivateDir, Failure> {
        let private = PrivateDir::create(&self.world.private_bases, name).map_err(|error| {
            Failure::new(format!("no private directory for secrets could be made: {error}"))
                .hint("set XDG_RUNTIME_DIR to a directory of yours with mode 0700")
        })?;
        // A plan that is only shown has no secrets.
        if !private.in_memory() && self.purpose == Purpose::Run {
            self.warn(format!(
                "secrets of this run are kept in {}, which is not in memory; they are deleted at \
                 the end, but the disk may still hold them",
                private.path().display()
            ));
        }
        Ok(private)
    }

    /// Both evaluations and, where the target is known without them, the connection beside them.
    async fn evaluate_and_reach(
        &self,
        options: &mut Options,
        state: &State,
        private: &PrivateDir,
    ) -> Result<(HostFacts, Option<HostFacts>, Access, Reached), Failure> {
        self.step("evaluate the configuration");
        let early = known_access(options, state);
        let (facts, minimal, reached) = if let Some(access) = &early {
            self.side_by_side(options, state, private, access).await?
        } else {
            let (facts, minimal) = self.evaluate(options).await?;
            (facts, minimal, None)
        };
        if wanted_access(options, &facts, state).is_none() {
            let target = self.find_target(options).await?;
            options.port = options.port.or(target.port);
            options.target = Some(target);
        }
        let access = wanted_access(options, &facts, state)
            .ok_or_else(|| Failure::new("nothing says where the machine is"))?;
        match reached {
            Some(reached) if early.as_ref() == Some(&access) => {
                return Ok((facts, minimal, access, reached?));
            }
            Some(Ok(elsewhere)) => elsewhere.connection.close().await,
            Some(Err(_)) | None => {}
        }
        let reached = self.connect(options, state, private, &access).await?;
        Ok((facts, minimal, access, reached))
    }

    /// Evaluates and connects at the same time. A configuration that does not evaluate ends this
    /// at once; whether the target answers only matters once the configuration is known to be good.
    async fn side_by_side(
        &self,
        options: &Options,
        state: &State,
        private: &PrivateDir,
        access: &Access,
    ) -> Result<(HostFacts, Option<HostFacts>, Option<Result<Reached, Failure>>), Failure> {
        let evaluated = self.evaluate(options);
        let reached = self.connect(options, state, private, access);
        tokio::pin!(evaluated, reached);
        tokio::select! {
            result = &mut reached => {
                let (facts, minimal) = evaluated.await?;
                Ok((facts, minimal, Some(result)))
            }
            result = &mut evaluated => {
                let (facts, minimal) = result?;
                let right = wanted_access(options, &facts, state).as_ref() == Some(access);
                let result = if right { Some(reached.await) } else { None };
                Ok((facts, minimal, result))
            }
        }
    }

    async fn connect(
        &self,
        options: &Options,
        state: &State,
        private: &PrivateDir,
        access: &Access,
    ) -> Result<Reached, Failure> {
        self.step(&format!("connect to {}", access.address));
        let (sides, record) = (sides(state), state.record.clone());
        reach(Way { world: &self.world, options, access, private, record, sides: &sides }).await
    }

    async fn evaluate(&self, options: &Options) -> Result<(HostFacts, Option<HostFacts>), Failure> {
        let (evaluator, host) = (&self.world.evaluator, &options.host);
        let full = async {
            let facts = evaluator.facts(&options.flake, host, Scope::Outputs).await;
            facts.map_err(|error| eval_failure(&error))
        };
        let minimal = async {
            let flake = match minimal_flake(options) {
                Some(flake) if options.via != Some(Via::Full) => flake,
                _ => return Ok(None),
            };
            match evaluator.facts(&flake, host, Scope::Outputs).await {
                Ok(facts) => Ok(Some(facts)),
                // A flake may have a minimal configuration for some hosts only.
                Err(EvalError::UnknownHost { .. } | EvalError::NoHosts { .. })
                    if options.via.is_none() =>
                {
                    Ok(None)
                }
                Err(error) => {
                    let mut failure = eval_failure(&error);
                    failure.error =
                        format!("the minimal configuration ({flake}): {}", failure.error);
                    Err(failure.hint("--via full installs the full configuration at once"))
                }
            }
        };
        tokio::try_join!(full, minimal)
    }

    fn check_digest(&self, state: &State, plan: &Plan) -> Result<(), Failure> {
        let Some(digest) = &state.digest else { return Ok(()) };
        if *digest == plan.digest {
            return Ok(());
        }
        let text = format!(
            "an interrupted run of {} is to be continued, but its disks, their layout, the \
             encryption, the persist directory or the way of installing have changed since",
            plan.host
        );
        if self.purpose == Purpose::Show {
            self.warn(format!("{text}; --restart starts anew"));
            return Ok(());
        }
        Err(Failure::new(text)
            .hint("--restart starts anew, and erases the disks again")
            .hint("or undo the change, and the same command goes on where it stopped")
            .kind(FailureKind::Changed))
    }
}

fn take_lock(dir: &std::path::Path, name: &str, options: &Options) -> Result<RunLock, Failure> {
    RunLock::take(dir, name, &options.host).map_err(|error| super::secrets_lock::failure(&error))
}

pub(super) fn private_error(private: &PrivateDir, error: &std::io::Error) -> Failure {
    Failure::new(format!("the private directory {}: {error}", private.path().display()))
}

fn probe_failure(error: ProbeError) -> Failure {
    match error {
        ProbeError::Run(error) => error.into(),
        answer @ ProbeError::Answer { .. } => Failure::new(answer.to_string()),
    }
}

/// What a failed evaluation means for the user.
pub(crate) fn eval_failure(error: &EvalError) -> Failure {
    let kind = match error {
        EvalError::Interrupted => FailureKind::Stopped,
        error if error.is_usage() => FailureKind::Usage,
        _ => FailureKind::Failed,
    };
    let failure = Failure::new(error.to_string()).kind(kind);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The sides that may answer, the likeliest first.
fn sides(state: &State) -> Vec<Side> {
    if !state.has(Phase::Install) || state.record.host_keys.is_empty() {
        vec![Side::Installer]
    } else if state.has(Phase::Reboot) {
        vec![Side::Installed, Side::Installer]
    } else {
        vec![Side::Installer, Side::Installed]
    }
}

/// How the target is reached, as far as that is known without the configuration.
fn known_access(options: &Options, state: &State) -> Option<Access> {
    if let Some(access) = &state.access {
        return Some(overridden(access.clone(), options));
    }
    let target = options.target.as_ref()?;
    // The configuration may name another port; a wrong guess would be a wasted wait.
    let port = options.port?;
    let door = Door { port, user: target.user.clone().unwrap_or_else(UserName::root) };
    Some(Access {
        address: target.address.clone(),
        installer: door.clone(),
        installed: door,
        identity: options.identity.clone(),
    })
}

/// How the target is reached. The installed side is settled by the plan.
fn wanted_access(options: &Options, facts: &HostFacts, state: &State) -> Option<Access> {
    if let Some(access) = &state.access {
        return Some(overridden(access.clone(), options));
    }
    let given = options.target.as_ref();
    let address = given.map(|target| target.address.clone()).or(facts.target.host.clone())?;
    let user = given.and_then(|target| target.user.clone()).or(facts.target.user.clone());
    let port = options.port.or(facts.target.port).unwrap_or(22);
    let door = Door { port, user: user.unwrap_or_else(UserName::root) };
    let configured = facts.target.identity_file.as_deref().map(expand_home);
    let identity = options.identity.clone().or(configured);
    Some(Access { address, installer: door.clone(), installed: door, identity })
}

/// The access of an interrupted run, with what the command line says now.
fn overridden(mut access: Access, options: &Options) -> Access {
    if let Some(target) = &options.target {
        access.address = target.address.clone();
        if let Some(user) = &target.user {
            access.installer.user = user.clone();
        }
    }
    if let Some(port) = options.port {
        access.installer.port = port;
        access.installed.port = port;
    }
    if options.identity.is_some() {
        access.identity.clone_from(&options.identity);
    }
    access
}

/// The access with the installed side as the plan has it.
fn settled(mut access: Access, plan: &Plan) -> Access {
    access.installed.port = plan.target.installed_port;
    access.installed.user = plan.target.installed_user.clone();
    access
}

/// The reference of the small flake with the minimal configurations, where there is one.
fn minimal_flake(options: &Options) -> Option<String> {
    let dir = options.flake_dir.as_deref()?;
    if !dir.join("nixos-installer/flake.nix").is_file() {
        return None;
    }
    let real = dir.canonicalize().ok()?;
    // As `nix` does it: the repository may begin further up.
    let in_git = real.ancestors().any(|folder| folder.join(".git").exists());
    installer_flake(&options.flake).map(|small| small.reference(in_git).to_owned())
}

fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}
