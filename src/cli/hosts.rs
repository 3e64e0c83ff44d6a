//! `hosts`

use std::process::ExitCode;
use std::sync::Arc;

use super::each::print_each;
use super::embedded::Goal;
use super::error::CliError;
use super::flake_args::FlakeArgs;
use super::output::Output;
use super::signals::cancel_reading_on_signals;
use crate::process::RealRunner;
use crate::ui::plan::render_hosts;

/// List the flake's hosts
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  nixos-bootstrap hosts --flake ~/nix-config")]
pub(super) struct Args {
    #[command(flatten)]
    flake: FlakeArgs,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints a line a host.
pub(super) async fn run(args: Args, output: &Output) -> Result<ExitCode, CliError> {
    let cancel = cancel_reading_on_signals()?;
    let runner = Arc::new(RealRunner::new(cancel.clone()));
    let evaluator = args.flake.evaluator(Goal::Reading, runner, &cancel)?;
    let hosts = evaluator.hosts(&args.flake.flake).await?;
    print_each(hosts, args.json, |hosts| render_hosts(hosts, &output.style))
}
