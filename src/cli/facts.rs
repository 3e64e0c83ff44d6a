//! `facts HOST`

use std::process::ExitCode;
use std::sync::Arc;

use super::each::print_each;
use super::embedded::Goal;
use super::error::CliError;
use super::flake_args::FlakeArgs;
use super::output::{Output, print, print_json};
use super::signals::cancel_reading_on_signals;
use crate::facts::Scope;
use crate::process::RealRunner;
use crate::ui::plan::render_facts;
use crate::validated::HostName;

/// Show what was read from a host's configuration
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  nixos-bootstrap facts grief --json | jq .disko.disks")]
pub(super) struct Args {
    /// The host
    #[arg(required_unless_present = "all")]
    host: Option<String>,
    /// Also what is built of it: system, disko script, ISO image. The whole system is evaluated for that, which
    /// takes longer
    #[arg(long)]
    outputs: bool,
    /// Every host of the flake
    #[arg(long, conflicts_with = "host")]
    all: bool,
    #[command(flatten)]
    flake: FlakeArgs,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints the facts of one host or of all.
pub(super) async fn run(args: Args, output: &Output) -> Result<ExitCode, CliError> {
    let cancel = cancel_reading_on_signals()?;
    let runner = Arc::new(RealRunner::new(cancel.clone()));
    let evaluator = args.flake.evaluator(Goal::Reading, runner, &cancel)?;
    let flake = &args.flake.flake;
    let scope = if args.outputs { Scope::Outputs } else { Scope::Options };
    let Some(host) = &args.host else {
        let all = evaluator.facts_of_all(flake, scope).await?;
        return print_each(all, args.json, |all| {
            let texts: Vec<_> =
                all.iter().map(|facts| render_facts(facts, &output.style)).collect();
            texts.join("\n")
        });
    };
    let host: HostName = host.parse()?;
    let facts = evaluator.facts(flake, &host, scope).await?;
    if args.json {
        print_json(&facts)?;
    } else {
        print(&render_facts(&facts, &output.style))?;
    }
    Ok(ExitCode::SUCCESS)
}
