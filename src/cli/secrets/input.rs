//! What the secrets commands read: files by name, or standard input as `-`.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::error::CliError;
use crate::secrets::Secret;
use crate::secrets::age::Identity;
use crate::secrets::key_format::Foreign;

/// More than any key file holds.
const LIMIT: u64 = 1 << 20;

/// The bytes of a file, or of standard input for `-`.
pub(in crate::cli) fn bytes(name: &str) -> Result<Secret, CliError> {
    let broken = |error| CliError::failed(format!("{}: {error}", called(name)));
    let mut content = Zeroizing::new(Vec::with_capacity(16 << 10));
    let read = if name == "-" {
        std::io::stdin().lock().take(LIMIT).read_to_end(&mut content)
    } else {
        let file = std::fs::File::open(name).map_err(broken)?;
        file.take(LIMIT).read_to_end(&mut content)
    };
    read.map_err(broken)?;
    Ok(Secret::new(content.as_slice()))
}

/// The same as text.
pub(in crate::cli) fn text(name: &str) -> Result<String, CliError> {
    let bytes = bytes(name)?;
    String::from_utf8(bytes.expose().to_vec())
        .map_err(|_| CliError::failed(format!("{} is no text", called(name))))
}

/// The private key in a file that nobody else can read, or on standard input.
pub(in crate::cli) fn private(name: &str) -> Result<Secret, CliError> {
    if name != "-" {
        let meta = std::fs::metadata(name)
            .map_err(|error| CliError::failed(format!("{name}: {error}")))?;
        if meta.mode() & 0o077 != 0 {
            let mode = meta.mode() & 0o777;
            return Err(CliError::failed(format!(
                "{name} holds a private key, but others may read it (mode {mode:04o})"
            ))
            .hint(format!("chmod 600 {}", crate::remote::quote(name))));
        }
    }
    bytes(name)
}

/// The age identity in such a file: one of age's own, or an ssh key that stands for one.
pub(in crate::cli) fn identity(name: &str) -> Result<Identity, CliError> {
    let secret = private(name)?;
    let parsed =
        if is_ssh_key(&secret) { Identity::of_ssh(&secret) } else { Identity::parse(&secret) };
    parsed.map_err(|error| unusable(name, &error, error.advice(in_words(name))))
}

/// Is this an ssh key, in whatever format?
pub(in crate::cli) fn is_ssh_key(content: &Secret) -> bool {
    content.expose().trim_ascii_start().starts_with(b"-----BEGIN") || Foreign::of(content).is_some()
}

/// A key that can't be used, and what to do with its file.
pub(in crate::cli) fn unusable(
    name: &str,
    error: &impl std::fmt::Display,
    advice: Option<String>,
) -> CliError {
    let error = CliError::failed(format!("{}: {error}", called(name)));
    match advice {
        Some(advice) => error.hint(advice),
        None => error,
    }
}

/// The file in a command for people; what came on standard input is in one, too.
pub(in crate::cli) fn in_words(name: &str) -> &str {
    if name == "-" { "FILE" } else { name }
}

/// Is there such a file?
pub(in crate::cli) fn is_file(name: &str) -> bool {
    Path::new(name).exists()
}

fn called(name: &str) -> &str {
    if name == "-" { "standard input" } else { name }
}
