//! The command line: arguments in, exit code out. The only place for clap; no domain logic.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 3 stopped by the user's "no" (or Ctrl-C),
//! 4 the machine or the repos are not as the plan saw them.

mod args;
mod bootstrap;
mod completions;
mod doctor;
mod each;
mod embedded;
mod error;
mod eval;
mod facts;
mod flake_args;
mod hosts;
mod iso;
mod known_hosts;
mod man;
mod output;
mod plan;
mod secrets;
mod signals;
mod usage;
mod world;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use error::CliError;
use output::Output;

use crate::ui::terminal::give_back;

/// Turns a machine that has booted an installer into a fully configured NixOS host.
#[derive(Debug, Parser)]
#[command(
    name = "nixos-bootstrap",
    version,
    about,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Example:\n  nixos-bootstrap bootstrap grief -d 192.168.1.50\n\n\
                  Exit codes: 0 done, 1 failed, 2 wrong usage, 3 stopped by the user, \
                  4 the machine or the repos are not as the plan saw them."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Bootstrap(bootstrap::Args),
    Plan(plan::Args),
    Facts(facts::Args),
    Hosts(hosts::Args),
    Eval(Box<eval::Args>),
    Secrets(secrets::Args),
    KnownHosts(known_hosts::Args),
    Iso(iso::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Parses the process's arguments, runs the subcommand and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    no_core_dumps();
    let words: Vec<_> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(error) => return usage::told(&error, &words),
    };
    let json = cli.command.json();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return CliError::failed(format!("could not start: {error}")).report(json),
    };
    let done = runtime.block_on(run(cli.command));
    // A question that still waits for an answer must not keep the process.
    runtime.shutdown_background();
    give_back();
    match done {
        Ok(code) => code,
        Err(error) => error.report(json),
    }
}

/// A core dump would hold secrets. The programs that are started inherit this.
fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = Rlimit { current: Some(0), ..getrlimit(Resource::Core) };
    // A process may always lower its own limit.
    let _ = setrlimit(Resource::Core, limit);
}

async fn run(command: Command) -> Result<ExitCode, CliError> {
    let output = Output::detect();
    match command {
        Command::Bootstrap(args) => bootstrap::run(args, &output).await,
        Command::Plan(args) => plan::run(args, &output).await,
        Command::Facts(args) => facts::run(args, &output).await,
        Command::Hosts(args) => hosts::run(args, &output).await,
        Command::Eval(args) => eval::run(*args, &output).await,
        Command::Secrets(args) => secrets::run(args, &output).await,
        Command::KnownHosts(args) => known_hosts::run(args),
        Command::Iso(args) => iso::run(args, &output).await,
        Command::Doctor(args) => doctor::run(args, &output).await,
        Command::Completions(args) => completions::run(&args, &mut Cli::command()),
        Command::Man(args) => man::run(&args, Cli::command()),
    }
}

impl Command {
    /// Was JSON asked for? Then errors are JSON, too.
    fn json(&self) -> bool {
        match self {
            Self::Bootstrap(args) => args.json,
            Self::Plan(args) => args.json,
            Self::Facts(args) => args.json,
            Self::Hosts(args) => args.json,
            Self::Iso(args) => args.json,
            Self::Doctor(args) => args.json,
            // Standard output is for the value alone.
            Self::Secrets(_)
            | Self::KnownHosts(_)
            | Self::Eval(_)
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_subcommand_has_a_help_text_with_an_example() {
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} has no help text");
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.contains("Example"), "{name} has no example");
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{name}: {} has no help text", arg.get_id());
            }
        }
    }

    #[test]
    fn the_readme_knows_every_option_and_every_subcommand() {
        let readme = include_str!("../../README.md");
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            assert!(
                readme.contains(&format!("| `{name}")) || readme.contains(&format!("`{name} "))
            );
            // What is hidden is for the program itself.
            let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
            for option in shown.filter_map(clap::Arg::get_long) {
                assert!(
                    readme.contains(&format!("--{option}")),
                    "{name} --{option} is not in README"
                );
            }
        }
    }
}
