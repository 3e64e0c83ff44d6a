//! How this very program is started again.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::command::Command;

const NAME: &str = "nixos-bootstrap";

/// The command that starts this program again, for people to type: its name where a shell finds it by that, else its
/// path, as after `nix run`.
#[must_use]
pub fn this_program() -> Command {
    let started = std::env::args_os().next().unwrap_or_default();
    Command::new(word(Path::new(&started), find_program(NAME).as_deref()))
}

/// Where a shell finds a program.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| executable(file))
}

fn executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// The word for a program that was started as `started`. A wrapper leaves its own name there, so the word starts that.
fn word(started: &Path, found: Option<&Path>) -> OsString {
    let by_path = started.ends_with(NAME) && started != Path::new(NAME);
    let same = |found: &Path| found.canonicalize().ok() == started.canonicalize().ok();
    if !by_path || found.is_some_and(same) {
        return NAME.into();
    }
    std::path::absolute(started).map_or_else(|_| OsStr::new(NAME).to_owned(), Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_enough_where_a_shell_finds_the_same_program_by_it() {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| dir.path().join(name).join(NAME);
        for name in ["store", "other", "bin"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        std::fs::write(place("store"), "").unwrap();
        std::fs::write(place("other"), "").unwrap();
        std::os::unix::fs::symlink(place("store"), place("bin")).unwrap();

        let store = place("store");
        assert_eq!(word(&store, None), store);
        assert_eq!(word(&store, Some(&place("other"))), store);
        assert_eq!(word(&store, Some(&place("bin"))), NAME);
        assert_eq!(word(Path::new(NAME), None), NAME);
        let here = std::env::current_dir().unwrap();
        let below = Path::new("target/debug").join(NAME);
        assert_eq!(word(&below, None), here.join(&below));
        // Whoever gave it another name knows how it is started.
        assert_eq!(word(Path::new("/x/.nb-wrapped"), None), NAME);
    }
}
