//! `plan HOST`

use std::process::ExitCode;
use std::sync::Arc;

use super::args::{Consent, RunArgs};
use super::error::CliError;
use super::output::{Output, print, print_json};
use super::signals::cancel_on_signals;
use super::world::world;
use crate::install::event::Reporter;
use crate::install::preflight;
use crate::ui::lines::LineReporter;
use crate::ui::live::LiveReporter;
use crate::ui::plan::render;
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
    let reporter: Arc<dyn Reporter> = if output.live {
        Arc::new(LiveReporter::new(args.debug))
    } else {
        Arc::new(LineReporter::new(std::io::stderr(), args.debug))
    };
    let world = world(&args.run.flake, reporter, cancel_on_signals()?)?;
    let prepared = preflight::prepare(&world, &options, preflight::Purpose::Plan).await?;
    let plan = prepared.plan();
    if args.json {
        print_json(plan)?;
    } else {
        print(&render(plan, &output.style))?;
    }
    let refused = plan.refused();
    prepared.close().await;
    Ok(if refused { ExitCode::from(4) } else { ExitCode::SUCCESS })
}
