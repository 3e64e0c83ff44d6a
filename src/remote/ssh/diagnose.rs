//! From what ssh wrote into its log to a [`ConnectError`]. Pure.

use std::path::{Path, PathBuf};

use super::identity::Identity;
use crate::remote::connect::{ConnectError, IdentityProblem, Login, ProvenKey};
use crate::remote::display::printable;

/// What is known when ssh has failed.
pub(super) struct Case<'a> {
    pub(super) login: &'a Login,
    /// ssh's log at level DEBUG1.
    pub(super) log: &'a str,
    /// The identity file, where one was given.
    pub(super) identity: Option<&'a Identity>,
    /// Fingerprints of the keys that the run accepts.
    pub(super) pinned: Vec<String>,
}

/// Says why ssh did not connect.
pub(super) fn diagnose(case: &Case<'_>) -> ConnectError {
    let early = host_key(case).or_else(|| identity_file(case)).or_else(|| authentication(case));
    early.unwrap_or_else(|| network(case))
}

/// The key that the machine has shown, and proved to hold wherever the login went on.
pub(super) fn host_key_shown(log: &str) -> Option<ProvenKey> {
    let line = log.lines().find_map(|line| line.trim().split_once("Server host key: "))?.1;
    let kind = line.split_whitespace().next()?.to_owned();
    Some(ProvenKey { kind, fingerprint: fingerprint(line)? })
}

fn host_key(case: &Case<'_>) -> Option<ConnectError> {
    let refused = case.has("Host key verification failed")
        || case.has("host key is known for")
        || case.has("REMOTE HOST IDENTIFICATION HAS CHANGED");
    if !refused {
        return None;
    }
    let (address, port) = (case.login.address.clone(), case.login.port);
    let got = host_key_shown(case.log).map(|key| key.fingerprint);
    if case.pinned.is_empty() {
        return Some(ConnectError::HostKeyUnknown { address, port, got });
    }
    Some(ConnectError::HostKeyMismatch { address, port, expected: case.pinned.clone(), got })
}

fn identity_file(case: &Case<'_>) -> Option<ConnectError> {
    let identity = case.identity?;
    let load = case.lines().find(|line| line.starts_with("Load key "))?;
    if !load.contains(identity.file.to_str()?) || case.offered().next().is_some() {
        return None;
    }
    // A passphrase that was typed wrongly is no fault of the file.
    if load.contains("passphrase") {
        return None;
    }
    Some(ConnectError::Identity { file: identity.file.clone(), problem: IdentityProblem::NotAKey })
}

fn authentication(case: &Case<'_>) -> Option<ConnectError> {
    let denied =
        case.find("Permission denied (").or_else(|| case.find("Too many authentication"))?;
    if let Some(file) = locked_key(case) {
        return Some(ConnectError::Passphrase { file });
    }
    let offered: Vec<String> = case.offered().filter_map(fingerprint).collect();
    let reason = match (offered.as_slice(), case.accepted()) {
        ([], _) => "no key was offered".to_owned(),
        (_, Some(key)) if case.has("signing failed") => {
            format!("the agent would not sign with {}", described(key))
        }
        (_, Some(key)) => format!("{} would do, but was not unlocked", described(key)),
        _ => {
            let keys: Vec<_> = case.offered().map(described).collect();
            format!("none of the keys offered is authorised there: {}", keys.join(", "))
        }
    };
    Some(ConnectError::Authentication {
        user: case.login.user.clone(),
        address: case.login.address.clone(),
        reason: printable(&format!(
            "{reason}; ssh said: {}",
            after_colon(denied).trim_end_matches('.')
        )),
        offered,
        advice: advice(case),
    })
}

fn advice(case: &Case<'_>) -> String {
    let user = case.login.user.as_str();
    if case.identity.is_some() {
        format!(
            "Check --identity and the user in --target USER@ADDRESS, or add its public key to \
             {user}'s authorized_keys"
        )
    } else {
        format!("Give the right key with --identity, or add yours to {user}'s authorized_keys")
    }
}

/// The key file that could not be used for want of its passphrase.
fn locked_key(case: &Case<'_>) -> Option<PathBuf> {
    if case.login.interactive {
        return None;
    }
    if let Some(key) = case.accepted() {
        // The server wanted this very key. A key of the agent is marked as such, and needs no
        // passphrase.
        let file = key_file(key).filter(|_| !key.ends_with(" agent"))?;
        return Some(PathBuf::from(file));
    }
    // Keys in old formats are not even offered before they are unlocked.
    let identity = case.identity.filter(|identity| identity.locked)?;
    case.offered().next().is_none().then(|| identity.file.clone())
}

fn network(case: &Case<'_>) -> ConnectError {
    let Login { address, port, timeout, .. } = case.login;
    let (address, port) = (address.clone(), *port);
    if case.has("Could not resolve hostname") {
        return ConnectError::NameNotFound { address };
    }
    if case.has(": Connection refused") {
        return ConnectError::Refused { address, port };
    }
    if case.has("timed out") {
        return ConnectError::TimedOut { address, port, limit: *timeout };
    }
    let reason = printable(case.last_word());
    if reason.contains("No route to host") || reason.contains("is unreachable") {
        return ConnectError::Unreachable {
            address,
            port,
            reason: after_colon(&reason).to_owned(),
        };
    }
    let broken =
        ["Connection closed", "Connection reset", "kex_exchange_identification", "Broken pipe"];
    if broken.iter().any(|words| case.has(words)) {
        return ConnectError::Lost { address, port, reason };
    }
    ConnectError::Other { address, port, reason }
}

impl Case<'_> {
    fn lines(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.log.lines().map(|line| {
            let line = line.trim();
            line.strip_prefix("debug1: ").unwrap_or(line)
        })
    }

    fn find(&self, words: &str) -> Option<&str> {
        self.lines().find(|line| line.contains(words))
    }

    fn has(&self, words: &str) -> bool {
        self.find(words).is_some()
    }

    fn offered(&self) -> impl Iterator<Item = &str> {
        self.lines().filter_map(|line| line.strip_prefix("Offering public key: "))
    }

    fn accepted(&self) -> Option<&str> {
        self.lines().find_map(|line| line.strip_prefix("Server accepts key: "))
    }

    /// The last line that ssh meant for its user.
    fn last_word(&self) -> &str {
        let said = |line: &&str| !line.trim().is_empty() && !line.starts_with("debug");
        self.log.lines().rev().find(said).map_or("ssh said nothing", str::trim)
    }
}

/// The first `SHA256:…` of a line.
fn fingerprint(line: &str) -> Option<String> {
    line.split_whitespace().find(|word| word.starts_with("SHA256:")).map(ToOwned::to_owned)
}

/// The file of `FILE KIND SHA256:… …`; it may have blanks.
fn key_file(key: &str) -> Option<&str> {
    let before = key.split(" SHA256:").next()?;
    before.rsplit_once(' ').map(|(file, _)| file).filter(|file| Path::new(file).is_absolute())
}

/// `FILE KIND SHA256:…`, without what ssh adds behind.
fn described(key: &str) -> String {
    let end = key
        .find("SHA256:")
        .map_or(key.len(), |at| key[at..].find(' ').map_or(key.len(), |length| at + length));
    key[..end].to_owned()
}

fn after_colon(line: &str) -> &str {
    line.rsplit_once(": ").map_or(line, |(_, rest)| rest).trim()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn login(interactive: bool) -> Login {
        Login {
            address: "grief.local".parse().unwrap(),
            port: 22,
            user: "root".parse().unwrap(),
            identity: None,
            known_hosts: PathBuf::from("/run/x/known_hosts"),
            control_dir: PathBuf::from("/run/x"),
            timeout: Duration::from_secs(15),
            interactive,
        }
    }

    fn said(log: &str) -> ConnectError {
        diagnose(&Case { login: &login(false), log, identity: None, pinned: Vec::new() })
    }

    const OFFERED: &str =
        "debug1: Offering public key: /home/u/my keys/id ED25519 SHA256:abc explicit\n";
    const ACCEPTED: &str =
        "debug1: Server accepts key: /home/u/my keys/id ED25519 SHA256:abc explicit\n";
    const DENIED: &str = "root@grief.local: Permission denied (publickey,password).\r\n";

    #[test]
    fn networks_fail_in_several_ways() {
        let at = "ssh: connect to host grief.local port 22: ";
        let refused = said(&format!("debug1: Connecting\n{at}Connection refused\r\n"));
        assert!(matches!(refused, ConnectError::Refused { .. }), "{refused}");
        let error = said(&format!("{at}No route to host\n"));
        let expected = "grief.local port 22 cannot be reached: No route to host";
        assert!(error.to_string().starts_with(expected), "{error}");
        let error = said(&format!("{at}Connection timed out\n"));
        assert!(error.to_string().contains("within 15 s"), "{error}");
        let error =
            said("ssh: Could not resolve hostname grief.local: Name or service not known\n");
        assert!(matches!(error, ConnectError::NameNotFound { .. }), "{error}");
        let error = said("kex_exchange_identification: read: Connection reset by peer\n");
        assert!(matches!(error, ConnectError::Lost { .. }), "{error}");
        let error = said("Connection closed by UNKNOWN port 65535\n");
        assert!(matches!(error, ConnectError::Lost { .. }), "a jump host: {error}");
        let error = said("debug1: x\nBad configuration option: \u{1b}[1mfoo\n");
        let expected = "could not connect to grief.local port 22: Bad configuration option: [1mfoo";
        assert_eq!(error.to_string(), expected);
        assert!(said("").to_string().contains("ssh said nothing"));
    }

    #[test]
    fn a_key_of_ones_own_that_is_locked_is_named() {
        let error = said(&format!("{OFFERED}{ACCEPTED}{DENIED}"));
        assert_eq!(error, ConnectError::Passphrase { file: PathBuf::from("/home/u/my keys/id") });
    }

    #[test]
    fn an_agent_that_does_not_sign_is_no_locked_key() {
        let key = "u@laptop ED25519 SHA256:abc agent";
        let error = said(&format!(
            "debug1: Offering public key: {key}\ndebug1: Server accepts key: {key}\n\
             sign_and_send_pubkey: signing failed for ED25519 \"u@laptop\" from agent: agent \
             refused operation\n{DENIED}"
        ));
        let ConnectError::Authentication { reason, offered, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(offered, &["SHA256:abc"]);
        let expected = "the agent would not sign with u@laptop ED25519 SHA256:abc";
        assert!(reason.starts_with(expected), "{reason}");
    }

    #[test]
    fn what_was_offered_in_vain_is_listed() {
        let error = said(&format!("{OFFERED}{DENIED}")).to_string();
        assert!(error.contains("/home/u/my keys/id ED25519 SHA256:abc"), "{error}");
        assert!(error.contains("(publickey,password)") && error.contains("--identity"), "{error}");
        let error = said(DENIED).to_string();
        assert!(error.contains("no key was offered"), "{error}");
    }

    #[test]
    fn a_passphrase_typed_wrongly_is_not_the_file_s_fault() {
        let identity = Identity { file: PathBuf::from("/home/u/my keys/id"), locked: true };
        let log = format!(
            "{OFFERED}{ACCEPTED}Load key \"/home/u/my keys/id\": incorrect passphrase supplied to \
             decrypt private key\n{DENIED}"
        );
        let (login, identity) = (login(true), Some(&identity));
        let error = diagnose(&Case { login: &login, log: &log, identity, pinned: Vec::new() });
        assert!(error.to_string().contains("was not unlocked"), "{error}");
    }
}
