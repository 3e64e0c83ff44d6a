//! `plan HOST`

use std::process::ExitCode;

use super::args::{Consent, RunArgs};
use super::embedded::Goal;
use super::error::CliError;
use super::output::{Output, print, print_json};
use super::signals::cancel_on_signals;
use super::world::{told, world};
use crate::install::preflight::{self, Purpose};
use crate::ui::plan::{refusals, render};
use crate::ui::prompts::TerminalPrompter;

/// Show what a run would do, and do nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  nixos-bootstrap plan grief -d 192.168.1.50\n\n\
                        The exit code is 4 when the run would be refused.")]
pub(super) struct Args {
    /// The host
    #[arg(required_unless_present = "name")]
    host: Option<String>,
    /// The host, in the older form
    #[arg(short = 'n', long = "name", value_name = "HOST", conflicts_with = "host")]
    name: Option<String>,
    #[command(flatten)]
    run: RunArgs,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Show every step on standard error
    #[arg(long)]
    debug: bool,
}

/// Prints the plan; exit code 4 when it is refused.
pub(super) async fn run(args: Args, output: &Output) -> Result<ExitCode, CliError> {
    let host = args.host.or(args.name).unwrap_or_default().parse()?;
    let consent = Consent { interactive: TerminalPrompter::available(), ..Consent::default() };
    let options = args.run.options(host, consent)?;
    let told = told(output, args.debug);
    let world = world(&args.run.flake, Goal::Reading, &told, cancel_on_signals()?)?;
    let prepared = preflight::prepare(&world, &options, Purpose::Show).await;
    let prepared = prepared.map_err(CliError::told)?;
    if args.json {
        print_json(&prepared.plan)?;
    } else {
        let (plan, style) = (&prepared.plan, &output.style);
        let refusals = refusals(plan, "This plan must not be carried out:", style);
        print(&(render(plan, style) + &refusals))?;
    }
    let refused = prepared.plan.refused();
    prepared.close().await;
    Ok(if refused { ExitCode::from(4) } else { ExitCode::SUCCESS })
}
