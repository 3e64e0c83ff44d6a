//! `secrets user-key USER HOST`

use std::path::PathBuf;
use std::process::ExitCode;

use super::repo::Repo;
use super::sops_yaml::failed;
use crate::cli::error::CliError;
use crate::cli::output::print;
use crate::cli::signals::cancel_on_signals;
use crate::files;
use crate::install::user_key::{self, PLACE};
use crate::install::workshop::{self, Outdated};
use crate::secrets::sops_yaml::{Kind, Wish};
use crate::validated::{HostName, UserName};

/// Make a user's age key for a host, unless there is one: kept in a secrets file, its recipient in
/// .sops.yaml
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  nixos-bootstrap secrets user-key ta grief --in secrets.yaml\n\n\
                        A key that is there but can't be decrypted here is an error, and none is made."
)]
pub(super) struct Args {
    /// The user
    user: String,
    /// The host
    host: String,
    /// The secrets file that keeps the key, relative to the folder of .sops.yaml
    #[arg(long = "in", value_name = "FILE", default_value = "secrets.yaml")]
    keep_in: String,
    /// Where in that file [default: `user_age_keys/USER_HOST`]
    #[arg(long, value_name = "PATH")]
    at: Option<String>,
    /// A rule that is to have the recipient besides that of the secrets file (repeatable)
    #[arg(long, value_name = "RULE")]
    rule: Vec<String>,
    /// The file with the rules
    #[arg(long, value_name = "FILE", default_value = ".sops.yaml")]
    file: PathBuf,
}

/// Makes the key, or says that it is there.
pub(super) async fn run(args: &Args) -> Result<ExitCode, CliError> {
    let (user, host): (UserName, HostName) = (args.user.parse()?, args.host.parse()?);
    let name = user_key::name(user.as_str(), host.as_str());
    let at = args.at.clone().unwrap_or_else(|| format!("{PLACE}/{name}"));
    let path: Vec<&str> = at.split('/').collect();
    let keep_in = args.keep_in.as_str();
    if keep_in.starts_with('/') || keep_in.split('/').any(|part| part == "..") {
        return Err(CliError::usage(format!(
            "--in {keep_in} is not below the folder of .sops.yaml"
        )));
    }
    let repo = Repo::open(&args.file, cancel_on_signals()?).await?;
    let known = repo.document.recipient(&name);
    let key = user_key::ensure(&repo.workshop, keep_in, &path, known.as_deref()).await?;
    let mut rules = Vec::new();
    rules.extend(repo.document.covering(keep_in).map_err(|error| failed(&repo.file, &error))?);
    for word in &args.rule {
        rules.push(repo.document.rule(word).map_err(|error| failed(&repo.file, &error))?);
    }
    let (recipient, kind) = (key.recipient.clone(), Kind::User);
    let wish = Wish { name: name.clone(), recipient, kind, rules, own: Vec::new() };
    let edited = repo.document.set(&wish).map_err(|error| failed(&repo.file, &error))?;
    let document = crate::secrets::sops_yaml::SopsYaml::parse(&edited.text)
        .map_err(|error| failed(&repo.file, &error))?;
    repo.workshop.set_rules(&edited.text)?;
    let mut outdated = workshop::outdated(&repo.files().await?, &document);
    if key.made && !outdated.iter().any(|file| file.name == keep_in) {
        outdated.push(Outdated { name: keep_in.to_owned(), loses: false });
    }
    repo.workshop.update(&outdated).await?;
    let names: Vec<String> = outdated.into_iter().map(|file| file.name).collect();
    repo.workshop.check_untouched(&names)?;
    if edited.text != repo.document.text() {
        files::replace(&repo.file, repo.document.text().as_bytes(), edited.text.as_bytes())
            .map_err(|error| failed(&repo.file, &error))?;
    }
    let changed = repo.workshop.put_back(&names)?;
    let state = if key.made { "made" } else { "was there" };
    print(&format!("{name}: {} ({state}, {keep_in} {at})\n", key.recipient))?;
    for line in edited.said.iter().chain(&changed) {
        crate::ui::terminal::say(&format!("changed: {line}"));
    }
    Ok(ExitCode::SUCCESS)
}
