//! Flake references as text: an attribute of a flake, and where the installer's small flake would
//! be. Nothing here looks at the disk.

use std::path::PathBuf;

/// Name of the folder that holds the minimal configurations.
const FOLDER: &str = "nixos-installer";

/// The small flake with the minimal configurations that belongs to another flake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallerFlake {
    /// Its folder, where the flake is a local one, for a look whether `flake.nix` is there.
    pub folder: Option<PathBuf>,
    reference: String,
    /// The reference that takes the whole outer folder along.
    whole: Option<String>,
}

impl InstallerFlake {
    /// The flake reference. A local folder that is not `in_git` is taken as a whole, since `nix`
    /// would else cut off everything outside of the inner folder.
    #[must_use]
    pub fn reference(&self, in_git: bool) -> &str {
        match &self.whole {
            Some(whole) if !in_git => whole,
            _ => &self.reference,
        }
    }
}

/// The installer flake of `flake`; `None` where the reference can hold no folder (a name of the
/// registry such as `nixpkgs`) or is already that of an installer flake.
#[must_use]
pub fn installer_flake(flake: &str) -> Option<InstallerFlake> {
    let (base, query) = flake.split_once('?').unwrap_or((flake, ""));
    let base = if base.len() > 1 { base.trim_end_matches('/') } else { base };
    let inner = match parameter(query, "dir") {
        Some(dir) if is_inner(dir) => return None,
        Some(dir) => format!("{}/{FOLDER}", dir.trim_matches('/')),
        None => FOLDER.to_owned(),
    };
    let with_dir = format!("{base}?{}", with_parameter(query, "dir", &inner));
    let Some((scheme, rest)) = scheme(base) else { return local(base, query, &inner) };
    let folder = match scheme {
        "flake" => return None,
        "path" | "git+file" => {
            let path = unescaped(rest.strip_prefix("//").unwrap_or(rest));
            if is_inner(&path) {
                return None;
            }
            Some(PathBuf::from(path).join(&inner))
        }
        _ => None,
    };
    Some(InstallerFlake { folder, reference: with_dir, whole: None })
}

/// An attribute of a flake as `nix` takes it. Blanks are fine in a plain path, but not in a URL.
pub(super) fn installable(flake: &str, attribute: &str) -> String {
    if scheme(flake).is_some() {
        format!("{}#{attribute}", flake.replace(' ', "%20"))
    } else {
        format!("{flake}#{attribute}")
    }
}

/// A plain path. `nix` itself finds the git repository around it.
fn local(base: &str, query: &str, inner: &str) -> Option<InstallerFlake> {
    let is_path = base.starts_with(['.', '/']) || base.is_empty();
    if !is_path || is_inner(base) {
        return None;
    }
    let base = if base.is_empty() { "." } else { base };
    let joined = if base == "/" { format!("/{inner}") } else { format!("{base}/{inner}") };
    let rest = without_parameter(query, "dir");
    let reference = if rest.is_empty() { joined.clone() } else { format!("{joined}?{rest}") };
    let whole = format!("path:{}?{}", escaped(base), with_parameter(query, "dir", inner));
    Some(InstallerFlake { folder: Some(PathBuf::from(joined)), reference, whole: Some(whole) })
}

fn is_inner(path: &str) -> bool {
    path.trim_end_matches('/').rsplit('/').next() == Some(FOLDER)
}

/// The scheme of a URL-like reference, and what follows its colon.
fn scheme(reference: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = reference.split_once(':')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let starts = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    (starts && scheme.chars().all(plain)).then_some((scheme, rest))
}

fn parameters(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|pair| !pair.is_empty())
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    parameters(query).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn without_parameter(query: &str, name: &str) -> String {
    let other = |pair: &&str| pair.split('=').next() != Some(name);
    parameters(query).filter(other).collect::<Vec<_>>().join("&")
}

fn with_parameter(query: &str, name: &str, value: &str) -> String {
    let rest = without_parameter(query, name);
    let separator = if rest.is_empty() { "" } else { "&" };
    format!("{rest}{separator}{name}={value}")
}

/// A path as part of a URL.
pub(crate) fn escaped(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    text
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

/// A URL's path as a path; what is no valid escape stays as it is.
pub(crate) fn unescaped(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|code| code.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.filter(|_| first == b'%').and_then(|code| str::from_utf8(code).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inner(flake: &str, in_git: bool) -> Option<(String, Option<String>)> {
        let found = installer_flake(flake)?;
        let folder = found.folder.as_ref().map(|folder| folder.display().to_string());
        Some((found.reference(in_git).to_owned(), folder))
    }

    #[test]
    fn the_installer_flake_is_a_folder_of_the_flake() {
        for (flake, reference, folder) in [
            (".", "./nixos-installer", Some("./nixos-installer")),
            ("./a b/", "./a b/nixos-installer", Some("./a b/nixos-installer")),
            ("/etc/nixos", "/etc/nixos/nixos-installer", Some("/etc/nixos/nixos-installer")),
            ("path:/x", "path:/x?dir=nixos-installer", Some("/x/nixos-installer")),
            ("path:/a%20b", "path:/a%20b?dir=nixos-installer", Some("/a b/nixos-installer")),
            ("git+file:///x", "git+file:///x?dir=nixos-installer", Some("/x/nixos-installer")),
            (
                "git+file:///x?ref=main&dir=nix",
                "git+file:///x?ref=main&dir=nix/nixos-installer",
                Some("/x/nix/nixos-installer"),
            ),
            ("github:o/r", "github:o/r?dir=nixos-installer", None),
            ("git+ssh://git@h/r?ref=a", "git+ssh://git@h/r?ref=a&dir=nixos-installer", None),
        ] {
            let expected = Some((reference.to_owned(), folder.map(str::to_owned)));
            assert_eq!(inner(flake, true), expected, "{flake}");
        }
    }

    #[test]
    fn outside_of_git_the_whole_folder_is_taken() {
        assert_eq!(inner("/a b", false).unwrap().0, "path:/a%20b?dir=nixos-installer");
        assert_eq!(inner(".", false).unwrap().0, "path:.?dir=nixos-installer");
    }

    #[test]
    fn names_and_installer_flakes_have_none() {
        for flake in
            ["nixpkgs", "flake:nixpkgs", "./nixos-installer", "path:/x?dir=nixos-installer"]
        {
            assert_eq!(inner(flake, true), None, "{flake}");
        }
    }

    #[test]
    fn blanks_are_escaped_in_urls_only() {
        assert_eq!(installable("./a b", "x"), "./a b#x");
        assert_eq!(installable("path:/a b", "x"), "path:/a%20b#x");
    }

    #[test]
    fn broken_escapes_stay() {
        assert_eq!(unescaped("/a%2"), "/a%2");
        assert_eq!(unescaped("/a%é%20"), "/a%é ");
    }
}
