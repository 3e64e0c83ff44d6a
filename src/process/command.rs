//! A command as data, before anything runs it.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// What a program reads on its standard input.
#[derive(Clone, Default)]
pub enum Stdin {
    /// Nothing: `/dev/null`.
    #[default]
    Null,
    /// The terminal of this process, for programs that ask for a passphrase.
    Inherit,
    /// These bytes, then end of file. Zeroed when dropped, so secrets may travel this way.
    Bytes(Zeroizing<Vec<u8>>),
    /// The content of a file, which is streamed.
    File(PathBuf),
}

/// A program with its arguments, environment, directory and input. Secrets belong in
/// [`Stdin::Bytes`], never in `args` or `env`.
#[derive(Clone)]
pub struct Command {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, Option<OsString>)>,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) stdin: Stdin,
    pub(crate) discard_output: bool,
    pub(crate) clear_env: bool,
    pub(crate) takes_age_key: bool,
}

impl Command {
    /// A command that runs `program`, looked up in `PATH` unless it has a slash.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            dir: None,
            stdin: Stdin::Null,
            discard_output: false,
            clear_env: false,
            takes_age_key: false,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args<I, S>(mut self, args: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<OsString>,
    {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of the program's environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), Some(value.into())));
        self
    }

    /// Takes a variable out of the program's environment.
    #[must_use]
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.env.push((name.into(), None));
        self
    }

    /// Starts with an empty environment: only what is set here is in it.
    #[must_use]
    pub fn clear_env(mut self) -> Self {
        self.clear_env = true;
        self
    }

    /// Leaves `SOPS_AGE_KEY`, a secret that the user may have set, in the environment. Programs that do
    /// not need it do not get it.
    #[must_use]
    pub fn takes_age_key(mut self) -> Self {
        self.takes_age_key = true;
        self
    }

    /// Runs the program in `dir`.
    #[must_use]
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Sets what the program reads on standard input (the default is nothing).
    #[must_use]
    pub fn stdin(mut self, stdin: Stdin) -> Self {
        self.stdin = stdin;
        self
    }

    /// Sets bytes as standard input; they are zeroed after use.
    #[must_use]
    pub fn stdin_bytes(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin(Stdin::Bytes(Zeroizing::new(bytes.into())))
    }

    /// Throws away what the program writes. For a program that goes to the background: it would
    /// hold the pipes open, and with them the one who waits for their end.
    #[must_use]
    pub fn discard_output(mut self) -> Self {
        self.discard_output = true;
        self
    }

    /// The program's name as it was given.
    #[must_use]
    pub fn program(&self) -> &OsStr {
        &self.program
    }

    /// The arguments, without the program.
    #[must_use]
    pub fn argv(&self) -> &[OsString] {
        &self.args
    }
}

/// The command as one would type it into a shell. Input and environment are left out: they may
/// hold secrets.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", shown(&self.program))?;
        for arg in &self.args {
            write!(f, " {}", shown(arg))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({self})")
    }
}

fn shown(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,#^?&~".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
