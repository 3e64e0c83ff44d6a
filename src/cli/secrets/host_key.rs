//! `secrets host-key HOST`

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::input;
use super::repo::Repo;
use crate::cli::error::CliError;
use crate::cli::output::print;
use crate::cli::signals::cancel_on_signals;
use crate::install::host_keys::PLACE;
use crate::install::reused_key;
use crate::remote::HostPublicKey;
use crate::secrets::age::Recipient;
use crate::secrets::host_key::{self, HostKeyPair};
use crate::secrets::{Secret, sops_file::SopsFile};
use crate::ui::terminal::say;
use crate::validated::HostName;

/// Make a host's ssh key pair, or show the one that is there: a file, or its copy in a secrets file
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  nixos-bootstrap secrets host-key grief --out ./keys\n  \
                        nixos-bootstrap secrets host-key grief --keep --key /etc/ssh/ssh_host_ed25519_key\n  \
                        nixos-bootstrap secrets host-key grief\n\n\
                        `bootstrap --reuse-host-key=secrets` takes the copy that --keep has made.")]
pub(super) struct Args {
    /// The host
    host: String,
    /// The private key, instead of the copy in the secrets file
    #[arg(long, value_name = "FILE|-")]
    key: Option<String>,
    /// Keep a copy in the secrets file; a key is made unless --key names one
    #[arg(long)]
    keep: bool,
    /// Write the pair into this folder, as files for /etc/ssh; a key is made where there is none
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The secrets file that keeps the copy, relative to the folder of .sops.yaml
    #[arg(long = "in", value_name = "FILE", default_value = "secrets.yaml")]
    keep_in: String,
    /// Where in that file, without the key's kind [default: `ssh_host_keys/HOST`]
    #[arg(long, value_name = "PATH")]
    at: Option<String>,
    /// The file with the rules
    #[arg(long, value_name = "FILE", default_value = ".sops.yaml")]
    file: PathBuf,
}

/// Where a key was found.
enum Origin {
    Given,
    Kept,
    Made,
}

/// Prints the public key, its fingerprint, and the age recipient that it is.
pub(super) async fn run(args: &Args) -> Result<ExitCode, CliError> {
    let host: HostName = args.host.parse()?;
    let place = args.at.clone().unwrap_or_else(|| format!("{PLACE}/{host}"));
    if args.keep_in.starts_with('/') || args.keep_in.split('/').any(|part| part == "..") {
        let reason = format!("--in {} is not below the folder of .sops.yaml", args.keep_in);
        return Err(CliError::usage(reason));
    }
    // Without a repo a key can be shown, or made for files.
    let repo = match (args.keep, args.file.exists()) {
        (true, _) => Some(Repo::open(&args.file, cancel_on_signals()?).await?),
        (false, true) => Some(Repo::look_at(&args.file, cancel_on_signals()?).await?),
        (false, false) => None,
    };
    let (private, origin) = find(args, &host, repo.as_ref(), &place).await?;
    let called = args.key.as_deref().unwrap_or(&args.keep_in);
    let (kind, public) = host_key::read(&private).map_err(|error| {
        let advice = args.key.as_deref().and_then(|key| error.advice(input::in_words(key)));
        input::unusable(called, &error, advice)
    })?;
    if let (true, Some(repo)) = (args.keep, &repo) {
        keep(args, repo, &place, kind, &private).await?;
    }
    if let Some(dir) = &args.out {
        write(dir, kind, &private, &public)?;
    }
    show(kind, &public, &origin)
}

async fn find(
    args: &Args,
    host: &HostName,
    repo: Option<&Repo>,
    place: &str,
) -> Result<(Secret, Origin), CliError> {
    if let Some(key) = &args.key {
        return Ok((input::private(key)?, Origin::Given));
    }
    let path = format!("{place}/ed25519");
    if let Some(repo) = repo
        && repo.workshop.has(&args.keep_in)
    {
        let words: Vec<&str> = path.split('/').collect();
        if let Some(kept) = reused_key::copy(&repo.workshop, &args.keep_in, &words).await? {
            return Ok((kept, Origin::Kept));
        }
    }
    if !args.keep && args.out.is_none() {
        return Err(CliError::failed(format!("{} has no {path}", args.keep_in))
            .hint("--keep makes a key there, --out DIR makes one as files, --key FILE shows one"));
    }
    let made = HostKeyPair::generate(&format!("root@{host}"));
    let made = made.map_err(|error| CliError::failed(error.to_string()))?;
    Ok((made.private().clone(), Origin::Made))
}

/// Puts the copy into the secrets file. Another key there is the user's to take out.
async fn keep(
    args: &Args,
    repo: &Repo,
    place: &str,
    kind: &str,
    private: &Secret,
) -> Result<(), CliError> {
    let (file, place) = (args.keep_in.as_str(), format!("{place}/{kind}"));
    let path: Vec<&str> = place.split('/').collect();
    if repo.workshop.has(file) {
        repo.workshop.take(file)?;
        let parsed = SopsFile::parse(file, &repo.workshop.read(file)?)
            .map_err(|error| CliError::failed(format!("{file}: {error}")))?;
        if parsed.has_path(&path) {
            let there = repo.workshop.extract(file, &path).await?;
            if there.expose().trim_ascii_end() == private.expose().trim_ascii_end() {
                return Ok(());
            }
            return Err(CliError::failed(format!("{file} has another key at {place}"))
                .hint(format!("take it out first: sops unset {file} …, or keep it with --at")));
        }
        repo.workshop.set(file, &path, private).await?;
    } else {
        repo.workshop.create(file, &path, private).await?;
    }
    for changed in repo.workshop.put_back(&[file.to_owned()])? {
        say(&format!("changed: {changed} ({place})"));
    }
    Ok(())
}

/// Files with the names and modes that sshd wants. What is there stays.
fn write(dir: &Path, kind: &str, private: &Secret, public: &str) -> Result<(), CliError> {
    let failed = |path: &Path, error: std::io::Error| {
        CliError::failed(format!("{}: {error}", path.display()))
    };
    if !dir.is_dir() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|e| failed(dir, e))?;
    }
    let path = dir.join(format!("ssh_host_{kind}_key"));
    let line = format!("{public}\n");
    let public_path = dir.join(format!("ssh_host_{kind}_key.pub"));
    if let Some(there) = [&path, &public_path].into_iter().find(|path| path.exists()) {
        return Err(CliError::failed(format!("{} is there already", there.display())));
    }
    for (path, mode, content) in
        [(&path, 0o600, private.expose()), (&public_path, 0o644, line.as_bytes())]
    {
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(mode).open(path);
        file.and_then(|mut file| file.write_all(content)).map_err(|error| failed(path, error))?;
        say(&format!("written: {}", path.display()));
    }
    Ok(())
}

fn show(kind: &str, public: &str, origin: &Origin) -> Result<ExitCode, CliError> {
    match origin {
        Origin::Given => {}
        Origin::Kept => say("the copy in the secrets file"),
        Origin::Made => say("a new key"),
    }
    print(&format!("{public}\n"))?;
    if let Ok(key) = public.parse::<HostPublicKey>() {
        print(&format!("{}\n", key.fingerprint()))?;
    }
    if kind == "ed25519" {
        let recipient = Recipient::of_ssh(public);
        let recipient = recipient.map_err(|error| CliError::failed(error.to_string()))?;
        print(&format!("{recipient}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}
