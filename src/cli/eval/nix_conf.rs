//! The settings that the machine and the user have for Nix: nix.conf(5) and the environment. What is not
//! meant for evaluation is passed over, and so is what cannot be read.

use std::path::{Path, PathBuf};

/// More files than this include each other in a circle.
const MOST_FILES: usize = 100;

/// All settings in the order in which they count: of one name, the last.
pub(super) fn settings() -> Vec<(String, String)> {
    let mut found = Found::default();
    for file in files() {
        found.read(&file);
    }
    if let Ok(text) = std::env::var("NIX_CONFIG") {
        found.parse(&text, Path::new("/"));
    }
    found.settings
}

/// `/etc/nix/nix.conf`, then those of the user, the least important first.
fn files() -> Vec<PathBuf> {
    let var = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let system = var("NIX_CONF_DIR").map_or_else(|| PathBuf::from("/etc/nix"), PathBuf::from);
    let mut users: Vec<PathBuf> = if let Some(files) = var("NIX_USER_CONF_FILES") {
        std::env::split_paths(&files).collect()
    } else {
        let home = std::env::home_dir().unwrap_or_default();
        let own = var("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
        let shared = var("XDG_CONFIG_DIRS").unwrap_or_else(|| "/etc/xdg".into());
        let folders = std::iter::once(own).chain(std::env::split_paths(&shared));
        folders.map(|folder| folder.join("nix/nix.conf")).collect()
    };
    users.reverse();
    std::iter::once(system.join("nix.conf")).chain(users).collect()
}

#[derive(Default)]
struct Found {
    settings: Vec<(String, String)>,
    files: usize,
}

impl Found {
    fn read(&mut self, file: &Path) {
        self.files += 1;
        if self.files > MOST_FILES {
            return;
        }
        if let Ok(text) = std::fs::read_to_string(file) {
            self.parse(&text, file.parent().unwrap_or(Path::new("/")));
        }
    }

    /// `name = value`, `include file` and `!include file`; `#` begins a comment.
    fn parse(&mut self, text: &str, folder: &Path) {
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            match words.as_slice() {
                ["include" | "!include", file] => self.read(&folder.join(file)),
                [name, "=", value @ ..] => {
                    self.settings.push(((*name).to_owned(), value.join(" ")));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_included_files_stand_where_these_are_included() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write(
            "nix.conf",
            "a = 1 # one\n# b = 2\n\ninclude more.conf\n!include none\na =  x  y\nodd\n",
        );
        write("more.conf", "c=3\nc = 4\ninclude nix.conf\n");
        let mut found = Found { files: MOST_FILES - 2, ..Found::default() };
        found.read(&dir.path().join("nix.conf"));
        let pairs: Vec<(&str, &str)> =
            found.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("a", "1"), ("c", "4"), ("a", "x y")]);
    }
}
