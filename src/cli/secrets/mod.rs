//! `secrets …`: the steps of the phase `secrets` one by one.

mod age_key;
mod check;
mod host_key;
pub(super) mod input;
mod rekey;
mod repo;
mod sops_yaml;
mod user_key;

use std::process::ExitCode;

use super::error::CliError;
use super::output::Output;

/// Carry out single steps of a host's secrets: host keys, age keys, .sops.yaml
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  nixos-bootstrap secrets age-key grief\n  \
                        nixos-bootstrap secrets sops-yaml set grief age1… --for grief --diff")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    HostKey(host_key::Args),
    AgeKey(age_key::Args),
    UserKey(user_key::Args),
    SopsYaml(Box<sops_yaml::Args>),
    Rekey(rekey::Args),
    Check(check::Args),
}

/// Carries one step out.
pub(super) async fn run(args: Args, output: &Output) -> Result<ExitCode, CliError> {
    match args.command {
        Command::HostKey(args) => host_key::run(&args).await,
        Command::AgeKey(args) => age_key::run(&args),
        Command::UserKey(args) => user_key::run(&args).await,
        Command::Rekey(args) => rekey::run(&args).await,
        Command::Check(args) => check::run(&args).await,
        Command::SopsYaml(args) => sops_yaml::run(*args, output).await,
    }
}
