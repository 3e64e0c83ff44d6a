//! The program sops: its command lines as data, and what its answers mean. Secrets reach it by standard
//! input, keys by the path of a 0600 file; what it decrypts is read only where it is needed.

use std::ffi::OsString;
use std::path::Path;

use super::secret::Secret;
use crate::process::{Command, Output};

/// What came of opening a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It can be read.
    Readable,
    /// The key at hand is none of its recipients'.
    NotARecipient,
    /// There is no such file.
    Missing,
    /// It is damaged, or no secrets file; with what sops said.
    Malformed(String),
}

/// sops asks the network for newer versions unless told not to.
fn sops() -> Command {
    Command::new("sops").env("SOPS_DISABLE_VERSION_CHECK", "1")
}

/// With the user's own keys, wherever sops finds them.
fn with_own_keys(config: &Path) -> Command {
    sops().takes_age_key().arg("--config").arg(config.as_os_str())
}

/// Asks what `sops set` can do.
#[must_use]
pub fn help_of_set() -> Command {
    sops().args(["set", "--help"])
}

/// Can `sops set` read a value from standard input, by its help text? Since sops 3.11.
#[must_use]
pub fn is_able(help: &Output) -> bool {
    help.ok() && String::from_utf8_lossy(&help.stdout).contains("--value-stdin")
}

/// Encrypts the data key of a file for the recipients that `config` has for it.
#[must_use]
pub fn update_keys(config: &Path, file: &Path) -> Command {
    with_own_keys(config).args(["updatekeys", "--yes"]).arg(file.as_os_str())
}

/// Makes a new data key, so that who could open the file before cannot open what it will hold.
#[must_use]
pub fn rotate(config: &Path, file: &Path) -> Command {
    with_own_keys(config).args(["rotate", "--in-place"]).arg(file.as_os_str())
}

/// Puts a value into a file.
#[must_use]
pub fn set(config: &Path, file: &Path, path: &[&str], value: &Secret) -> Command {
    let json = serde_json::to_vec(&String::from_utf8_lossy(value.expose())).unwrap_or_default();
    with_own_keys(config)
        .args(["set", "--value-stdin"])
        .arg(file.as_os_str())
        .arg(index(path))
        .stdin_bytes(json)
}

/// Reads one value of a file.
#[must_use]
pub fn extract(config: &Path, file: &Path, path: &[&str]) -> Command {
    with_own_keys(config).args(["decrypt", "--extract"]).arg(index(path)).arg(file.as_os_str())
}

/// The same for people, who run it in a shell of their own.
#[must_use]
pub fn shown_extract(file: &Path, path: &[&str]) -> Command {
    Command::new("sops").args(["decrypt", "--extract"]).arg(index(path)).arg(file.as_os_str())
}

/// Encrypts standard input as a new YAML file of this name; the result comes on standard output.
#[must_use]
pub fn encrypt_new(config: &Path, file: &Path, content: &Secret) -> Command {
    with_own_keys(config)
        .args(["encrypt", "--input-type", "yaml", "--output-type", "yaml", "--filename-override"])
        .arg(file.as_os_str())
        .arg("/dev/stdin")
        .stdin_bytes(content.expose())
}

/// Opens a file with one key alone: nothing else is in the environment, and the home has no keys.
/// What is decrypted goes nowhere.
#[must_use]
pub fn open_alone(file: &Path, key_file: &Path, home: &Path) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    sops()
        .clear_env()
        .env("PATH", path)
        .env("HOME", home.as_os_str())
        .env("SOPS_AGE_KEY_FILE", key_file.as_os_str())
        .env("SOPS_DISABLE_VERSION_CHECK", "1")
        .args(["decrypt", "--output", "/dev/null"])
        .arg(file.as_os_str())
}

/// What an answer to [`open_alone`] means; by sops' exit codes (`cmd/sops/codes`).
#[must_use]
pub fn opened(output: &Output) -> Opened {
    match output.code {
        Some(0) => Opened::Readable,
        Some(100) => Opened::Missing,
        // 128: no key could open it. 6: a threshold of keys was not reached.
        Some(128 | 6) => Opened::NotARecipient,
        _ => Opened::Malformed(said(output)),
    }
}

/// The last lines of what sops said, without the time in front.
#[must_use]
pub fn said(output: &Output) -> String {
    let text = output.error_text();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let from = lines.len().saturating_sub(3);
    lines.get(from..).unwrap_or_default().join("; ")
}

/// `["a"]["b"]`, as sops names a place.
fn index(path: &[&str]) -> String {
    let words = path.iter().map(|word| serde_json::Value::from(*word).to_string());
    format!("[{}]", words.collect::<Vec<_>>().join("]["))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_in_no_argument() {
        let value = Secret::new("AGE-SECRET-KEY-1X");
        let (config, file) = (Path::new("/r/.sops.yaml"), Path::new("/r/s.yaml"));
        let command = set(config, file, &["user_age_keys", "ta \"x"], &value);
        let shown = command.to_string();
        assert!(!shown.contains("SECRET") && shown.contains(r#"["user_age_keys"]["ta \"x"]"#));
        assert!(!encrypt_new(config, file, &value).to_string().contains("SECRET"));
    }
}
