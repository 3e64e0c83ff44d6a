//! What is to be evaluated, from the words of the command line.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::Args;
use super::options::is_url;
use crate::cli::error::CliError;

/// A program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// `--expr`
    Expression(Vec<u8>),
    /// A file or a folder, as it was given.
    File(Vec<u8>),
    /// `<name>`, with the angle brackets.
    Lookup(Vec<u8>),
    /// Standard input.
    Stdin,
    /// A flake and an attribute of it: `.#x`.
    Flake(Vec<u8>),
}

/// What is evaluated, and which attributes of it are printed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) sources: Vec<Source>,
    /// Never empty; an empty path is the whole.
    pub(super) paths: Vec<Vec<u8>>,
}

impl Wanted {
    /// Behind `--expr` or `--file` the words are attribute paths, as in `nix eval`; else they are files, as
    /// in `nix-instantiate`.
    pub(super) fn new(args: &Args) -> Result<Self, CliError> {
        let bytes = |words: &[OsString]| -> Vec<Vec<u8>> {
            words.iter().map(|word| word.as_bytes().to_vec()).collect()
        };
        let mut paths = bytes(&args.attr);
        let sources = if let Some(file) = &args.file {
            paths.extend(bytes(&args.words));
            vec![file_or_lookup(file)]
        } else if !args.expr.is_empty() {
            paths.extend(bytes(&args.words));
            bytes(&args.expr).into_iter().map(Source::Expression).collect()
        } else if args.words.is_empty() {
            vec![positional(OsStr::new("."))]
        } else {
            args.words.iter().map(|word| positional(word)).collect()
        };
        let flakes = sources.iter().filter(|source| matches!(source, Source::Flake(_))).count();
        if flakes > 0 {
            check_flakes(args, flakes == sources.len(), paths.is_empty())?;
        }
        if paths.is_empty() {
            paths.push(Vec::new());
        }
        Ok(Self { sources, paths })
    }
}

/// Flakes are evaluated purely, and say which of their attributes they mean.
fn check_flakes(args: &Args, all: bool, no_paths: bool) -> Result<(), CliError> {
    if !all {
        return Err(CliError::usage("flakes and files can't be evaluated in one call"));
    }
    if args.options.has_arguments() {
        return Err(CliError::usage("'--arg' and '--argstr' are incompatible with flakes"));
    }
    if no_paths {
        return Ok(());
    }
    Err(CliError::usage("--attr is not for flakes")
        .hint("the attribute of a flake stands behind a #: `.#hosts.x`"))
}

fn file_or_lookup(word: &OsStr) -> Source {
    match word.as_bytes() {
        b"-" => Source::Stdin,
        [b'<', .., b'>'] => Source::Lookup(word.as_bytes().to_vec()),
        path => Source::File(path.to_vec()),
    }
}

/// A word that stands for itself: a file, unless it means a flake.
fn positional(word: &OsStr) -> Source {
    let source = file_or_lookup(word);
    let Source::File(path) = &source else { return source };
    let folder = Path::new(word);
    let has = |name: &str| folder.join(name).is_file();
    let is_flake = path.contains(&b'#')
        || is_url(path)
        || path.windows(2).any(|two| two == b"+:")
        || SCHEMES.iter().any(|start| path.starts_with(start))
        || (folder.is_dir() && !has("default.nix") && has("flake.nix"))
        || (!folder.exists() && !path.contains(&b'/') && !path.contains(&b'.'));
    if is_flake && !folder.is_file() { Source::Flake(path.clone()) } else { source }
}

/// What references of flakes begin with, and files hardly ever.
const SCHEMES: &[&[u8]] =
    &[b"path:", b"flake:", b"github:", b"gitlab:", b"sourcehut:", b"git+", b"tarball+", b"file+"];

/// All of standard input.
pub(super) fn stdin() -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    std::io::stdin().lock().read_to_end(&mut text)?;
    Ok(text)
}

/// An `OsString` as bytes.
pub(super) fn bytes(word: OsString) -> Vec<u8> {
    word.into_vec()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn wanted(words: &[&str]) -> Result<Wanted, CliError> {
        let line = Line::try_parse_from([&["eval"], words].concat()).unwrap();
        Wanted::new(&line.args)
    }

    #[test]
    fn words_are_paths_behind_an_expression_and_files_without_one() {
        let file = |path: &str| Source::File(path.into());
        let wanted = |words: &[&str]| wanted(words).unwrap();
        let one = wanted(&["--expr", "-1", "a.b", "-A", "c"]);
        assert_eq!(one.sources, [Source::Expression(b"-1".to_vec())]);
        assert_eq!(one.paths, [b"c".to_vec(), b"a.b".to_vec()]);
        let two = wanted(&["x.nix", "-", "<nixpkgs>"]);
        assert_eq!(
            two.sources,
            [file("x.nix"), Source::Stdin, Source::Lookup(b"<nixpkgs>".to_vec())]
        );
        assert_eq!(two.paths, [b"".to_vec()]);
        assert_eq!(wanted(&["-f", "-", "a"]).sources, [Source::Stdin]);
        assert_eq!(wanted(&["-E", "1", "-E", "2"]).sources.len(), 2);
    }

    #[test]
    fn flakes_are_told_from_files() {
        let is_flake = |word: &str| matches!(&wanted(&[word]).unwrap().sources[..], [Source::Flake(text)] if text == word.as_bytes());
        for flake in
            [".#x", "github:NixOS/nixpkgs", "git+file:///x", "https://h/x.tar.gz", "no-such-file"]
        {
            assert!(is_flake(flake), "{flake}");
        }
        assert!(!is_flake("no-such-file.nix") && !is_flake("./no-such"));
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().to_str().unwrap();
        assert!(!is_flake(folder));
        std::fs::write(dir.path().join("flake.nix"), "{ }").unwrap();
        assert!(is_flake(folder));
        std::fs::write(dir.path().join("default.nix"), "{ }").unwrap();
        assert!(!is_flake(folder));
        let odd = dir.path().join("a#b.nix");
        std::fs::write(&odd, "1").unwrap();
        assert!(!is_flake(odd.to_str().unwrap()));
    }

    #[test]
    fn flakes_take_no_arguments_and_no_paths() {
        for words in [
            &[".#x", "file.nix"][..],
            &[".#x", "-A", "y"],
            &[".#x", "--arg", "a", "1"],
            &[".#x", "--argstr", "a", "1"],
        ] {
            assert!(wanted(words).is_err(), "{words:?}");
        }
    }
}
