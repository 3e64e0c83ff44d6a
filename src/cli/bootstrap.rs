//! `bootstrap HOST…`

use std::process::ExitCode;

use super::args::{Consent, RunArgs};
use super::embedded::Goal;
use super::error::CliError;
use super::output::{Output, print};
use super::signals::cancel_on_signals;
use super::world::{Told, told, world};
use crate::install::context::{Failure, FailureKind, World};
use crate::install::engine;
use crate::install::plan::Plan;
use crate::install::preflight::{self, Prepared, Purpose};
use crate::process::this_program;
use crate::ui::json::JsonReporter;
use crate::ui::plan::{refusals, render};
use crate::ui::prompts::TerminalPrompter;
use crate::ui::report::render as render_report;
use crate::ui::terminal::say;
use crate::validated::HostName;

/// Turn a machine that has booted an installer into a host of the flake
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = "Examples:\n  nixos-bootstrap bootstrap grief -d 192.168.1.50\n  \
                        nixos-bootstrap bootstrap -n grief -d 192.168.1.50 -k ~/.ssh/id_ed25519 -u ta\n  \
                        nixos-bootstrap bootstrap grief --only verify,rebuild\n\n\
                        After a failure the same command goes on where the run stopped.")]
pub(super) struct Args {
    /// The hosts, one after the other
    #[arg(value_name = "HOST")]
    hosts: Vec<String>,
    /// The host, in the older form
    #[arg(short = 'n', long = "name", value_name = "HOST", conflicts_with = "hosts")]
    name: Option<String>,
    #[command(flatten)]
    run: RunArgs,
    /// Do not ask: erase the disks that the plan names
    #[arg(short, long)]
    yes: bool,
    /// Push the repos after the phase commit
    #[arg(long)]
    push: bool,
    /// Write events as JSON lines to standard output
    #[arg(long)]
    pub(super) json: bool,
    /// Show every step and every line that the programs write
    #[arg(long)]
    debug: bool,
}

/// Installs the hosts. Every question is asked before the first change of the first host.
pub(super) async fn run(args: Args, output: &Output) -> Result<ExitCode, CliError> {
    let told = if args.json {
        Told::still(JsonReporter::new(std::io::stdout(), args.debug))
    } else {
        told(output, args.debug)
    };
    let world = world(&args.run.flake, Goal::Building, &told, cancel_on_signals()?)?;
    let hosts = hosts(&args, &world).await?;
    if let Some(twice) = hosts.iter().enumerate().find(|(n, host)| hosts[..*n].contains(host)) {
        return Err(CliError::usage(format!("the host {} is named twice", twice.1)));
    }
    if hosts.len() > 1 && args.run.names_target() {
        return Err(CliError::usage("--target, --port and --host-key are for one host only")
            .hint("set bootstrap.target.* in each host's configuration, or give one host"));
    }
    let interactive = TerminalPrompter::available() && !args.yes && !args.json;
    let consent = Consent { yes: args.yes, push: args.push, interactive };
    let mut ready: Vec<Prepared> = Vec::new();
    for host in hosts {
        let options = args.run.options(host, consent)?;
        let prepared = preflight::prepare(&world, &options, Purpose::Run).await;
        let mut prepared = prepared.map_err(CliError::told)?;
        if !args.json {
            print(&render(&prepared.plan, &output.style))?;
        }
        let confirmed = engine::confirm(&mut prepared).await;
        confirmed.map_err(|failure| not_begun(failure, &prepared.plan, &args, output))?;
        ready.push(prepared);
    }
    for prepared in ready {
        let ended = engine::run(prepared).await;
        if !args.json {
            let report = render_report(&ended.report, output.style.colour);
            print(&format!("\n{report}"))?;
        }
        if let Some(failure) = ended.failure {
            return Err(CliError::told(failure));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Why a run does not begin. The reasons against a plan are shown as `plan` shows them, each with its hint.
fn not_begun(failure: Failure, plan: &Plan, args: &Args, output: &Output) -> CliError {
    if args.json || !plan.refused() {
        return failure.into();
    }
    let heading = "error: nothing was changed; this plan must not be carried out:";
    say(refusals(plan, heading, &output.errors).trim_end());
    CliError::told(failure)
}

/// The hosts that were named, or the one that is picked from the flake's.
async fn hosts(args: &Args, world: &World) -> Result<Vec<HostName>, CliError> {
    let named: Vec<_> = args.hosts.iter().chain(&args.name).collect();
    if !named.is_empty() {
        return named.into_iter().map(|name| Ok(name.parse()?)).collect();
    }
    if !TerminalPrompter::available() {
        let own = this_program();
        return Err(CliError::usage("no host was named")
            .hint(format!("say which: {own} bootstrap HOST; `{own} hosts` lists them")));
    }
    let known = world.evaluator.hosts(&args.run.flake.flake).await?;
    // One that fails can be picked as well: then its error is told.
    let failed = known.failed.into_iter().map(|host| host.name);
    let mut choices: Vec<String> =
        known.found.into_iter().map(|host| host.name).chain(failed).collect();
    choices.sort();
    if choices.is_empty() {
        return Err(CliError::failed("the flake has no hosts"));
    }
    let picked = TerminalPrompter::pick("Which host?", &choices).map_err(|error| {
        CliError::from(Failure::new(error.to_string()).kind(FailureKind::Stopped))
    })?;
    Ok(vec![choices[picked].parse()?])
}
