//! A command for the other machine as data, the one function that quotes for its shell, and the
//! [`Remote`] that runs it.

use std::time::Duration;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::process::{Error, LineSink, Output};

/// Quotes one word for a POSIX shell. The only place where text becomes part of a shell line.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// How a shell runs a script of ours: a failing command or an unset variable ends it.
const SCRIPT_FLAGS: &str = "-euc";

/// A program with its arguments and input, to be run on the other machine.
#[derive(Clone)]
pub struct RemoteCommand {
    words: Vec<String>,
    stdin: Option<Zeroizing<Vec<u8>>>,
    root: bool,
    limit: Option<Duration>,
}

impl RemoteCommand {
    /// Runs `program`.
    pub fn new(program: impl Into<String>) -> Self {
        Self { words: vec![program.into()], stdin: None, root: false, limit: None }
    }

    /// Runs a POSIX shell script; arguments added later are its `$1`, `$2`, …
    pub fn script(text: impl Into<String>) -> Self {
        Self::new("sh").arg(SCRIPT_FLAGS).arg(text).arg("sh")
    }

    /// Adds an argument, which may hold any character.
    #[must_use]
    pub fn arg(mut self, word: impl Into<String>) -> Self {
        self.words.push(word.into());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args<I, S>(mut self, words: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// Gives the program these bytes on standard input; zeroed after use.
    #[must_use]
    pub fn stdin_bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(Zeroizing::new(bytes.into()));
        self
    }

    /// Runs it as root: as it is where the login is root, else by `sudo -n`.
    #[must_use]
    pub fn as_root(mut self) -> Self {
        self.root = true;
        self
    }

    /// Stops it, there too, when it takes longer than `limit`.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The words, unquoted.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The input, if any.
    #[must_use]
    pub fn input(&self) -> Option<&[u8]> {
        self.stdin.as_deref().map(Vec::as_slice)
    }

    /// Must it run as root?
    #[must_use]
    pub fn needs_root(&self) -> bool {
        self.root
    }

    /// Its time limit.
    #[must_use]
    pub fn time_limit(&self) -> Option<Duration> {
        self.limit
    }
}

/// The command as a shell line for people; the text of a script and the input are left out.
impl std::fmt::Display for RemoteCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = match self.words.as_slice() {
            [sh, flags, text, name, args @ ..] if flags == SCRIPT_FLAGS && name == sh => {
                write!(f, "{sh} {flags} {}", quote(&opening(text)))?;
                args
            }
            [program, args @ ..] => {
                f.write_str(&quote(program))?;
                args
            }
            [] => return Ok(()),
        };
        shown.iter().try_for_each(|word| write!(f, " {}", quote(word)))
    }
}

/// A script of one line itself, else its first line.
fn opening(script: &str) -> String {
    let script = script.trim();
    match script.split_once('\n') {
        Some((first, _)) => format!("{first} …"),
        None => script.to_owned(),
    }
}

impl std::fmt::Debug for RemoteCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RemoteCommand({self})")
    }
}

/// A machine that runs commands. Implemented by the ssh session and, for tests, by a script.
#[async_trait]
pub trait Remote: Send + Sync {
    /// Runs `command` there to its end; every line goes to `sink` as it comes. A status other than
    /// 0 is no error here. When the run is cancelled or over its limit, the command is stopped
    /// there, too.
    async fn stream(
        &self,
        command: &RemoteCommand,
        sink: &mut LineSink<'_>,
    ) -> Result<Output, Error>;

    /// Runs `command` there and captures its output.
    async fn run(&self, command: &RemoteCommand) -> Result<Output, Error> {
        self.stream(command, &mut |_| {}).await
    }

    /// The options with which another ssh (nix's, rsync's) uses this very connection, as words.
    fn ssh_options(&self) -> Vec<String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_script_is_shown_by_its_first_line_and_arguments() {
        let script = RemoteCommand::script("\nroot=$1\nsecond line\n").arg("/mnt").arg("a b");
        assert_eq!(script.to_string(), "sh -euc 'root=$1 …' /mnt 'a b'");
        let short = RemoteCommand::script("sgdisk -p \"$1\"").arg("/dev/vda");
        assert_eq!(short.to_string(), "sh -euc 'sgdisk -p \"$1\"' /dev/vda");
        assert_eq!(RemoteCommand::new("cat").arg("it's").to_string(), r"cat 'it'\''s'");
    }

    #[test]
    fn quoting_survives_a_real_shell() {
        for word in
            ["", "plain", "a b", "it's", "$(id)", "`id`", "a\nb", "\\", "~", "*", "é", "-x", "'\"'"]
        {
            let script = format!("printf %s {}", quote(word));
            let output = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
        }
    }
}
