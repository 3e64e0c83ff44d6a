//! The programs that `scripts/test` installs into the cache: on PATH, or found there.

use std::path::PathBuf;
use std::process::Command;

/// The path of a program; a test that needs it fails without it, and says how to get it.
pub(crate) fn tool(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| home.map(|home| home.join(".cache")));
    let cache = cache.map(|cache| cache.join("nixos-bootstrap/bin"));
    let mut folders = std::env::split_paths(&path).chain(cache);
    let found = folders.find_map(|folder| Some(folder.join(name)).filter(|file| file.is_file()));
    found.unwrap_or_else(|| panic!("this test needs {name}: scripts/test installs it"))
}

/// `PATH` with the folders of these programs in front.
pub(crate) fn path_with(names: &[&str]) -> std::ffi::OsString {
    let folders = names.iter().map(|name| tool(name).parent().unwrap().to_owned());
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(folders.chain(std::env::split_paths(&path))).unwrap()
}

/// Runs a command that must end well; what it wrote to standard output.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}\n{out}\n{err}", output.status);
    out.into_owned()
}
