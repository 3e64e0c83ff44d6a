//! Words that are no command line: clap's error, for people and for programs.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::ExitCode;

use super::error::CliError;

/// Prints what clap has to say about `words` instead of a command: help, a version, or what is wrong with them.
pub(super) fn told(error: &clap::Error, words: &[OsString]) -> ExitCode {
    let printed = error.print();
    if error.use_stderr() {
        // What was wrong can't be told anybody where standard error is gone.
        return wrong(&error.render().to_string()).report(wants_json(words));
    }
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            CliError::failed(format!("could not write to standard output: {error}")).report(false)
        }
        _ => ExitCode::SUCCESS,
    }
}

/// clap's text, whose paragraphs are what is wrong, what may have been meant, and the usage.
fn wrong(text: &str) -> CliError {
    let mut paragraphs = text.split("\n\n").map(str::trim).filter(|text| !text.is_empty());
    let error = paragraphs.next().unwrap_or_default();
    let error = CliError::usage(error.strip_prefix("error: ").unwrap_or(error));
    let hint = |text: &str| text.strip_prefix("tip: ").unwrap_or(text).to_owned();
    paragraphs.map(hint).fold(error, CliError::hint).shown()
}

/// Do the words ask for JSON? Of `eval` it is only the value that they ask for.
fn wants_json(words: &[OsString]) -> bool {
    let mut words = words.iter().skip(1).take_while(|word| *word != "--").peekable();
    words.peek().is_some_and(|first| *first != "eval") && words.any(|word| word == "--json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_asked_for_before_two_dashes_and_not_of_eval() {
        let asks = |line: &str| {
            let words: Vec<_> = line.split(' ').map(OsString::from).collect();
            wants_json(&words)
        };
        assert!(asks("x facts --json --all") && asks("x --json"));
        assert!(!asks("x facts") && !asks("x") && !asks("x facts -- --json"));
        assert!(!asks("x eval --json"), "that is the form of the value");
    }
}
