//! Editing `known_hosts` files (sshd(8), "`SSH_KNOWN_HOSTS` FILE FORMAT"): exactly the entries of given
//! names go, nothing else changes. [`edit`] and [`find`] are pure; [`update_file`] is the door to
//! the file. Patterns with wildcards or negation and lines with a marker (`@cert-authority`,
//! `@revoked`) are somebody's own rules: they are never touched.

use std::io;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::{fs, str};

use data_encoding::BASE64;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::host_key::HostPublicKey;
use crate::files;
use crate::validated::Address;

/// The names under which ssh looks for a machine: `ADDRESS` on port 22, else `[ADDRESS]:PORT`.
#[must_use]
pub fn names(address: &Address, port: u16) -> Vec<String> {
    // ssh looks for names in small letters.
    let address = address.as_str().to_ascii_lowercase();
    if port == 22 { vec![address] } else { vec![format!("[{address}]:{port}")] }
}

/// The content with `names` belonging to `keys` and to no other key: entries of exactly these
/// names go (hashed ones too), a line of several names loses only these, and each key that is not
/// there yet is added once. Everything else stays, byte for byte.
#[must_use]
pub fn edit(content: &[u8], names: &[String], keys: &[HostPublicKey]) -> Vec<u8> {
    let mut result = Vec::with_capacity(content.len());
    // For each key the names that have it already.
    let mut present: Vec<Vec<&String>> = vec![Vec::new(); keys.len()];
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        let Some(entry) = Entry::parse(line) else {
            result.extend_from_slice(line);
            continue;
        };
        if let Some(at) = keys.iter().position(|key| entry.is(key)) {
            present[at].extend(names.iter().filter(|name| entry.names_host(name)));
            result.extend_from_slice(line);
        } else {
            result.extend(entry.without(names));
        }
    }
    let newline: &[u8] = if content.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
    for (key, present) in keys.iter().zip(present) {
        let missing: Vec<_> = names.iter().filter(|name| !present.contains(name)).collect();
        if missing.is_empty() {
            continue;
        }
        if !result.is_empty() && !result.ends_with(b"\n") {
            result.extend_from_slice(newline);
        }
        let missing: Vec<_> = missing.into_iter().map(String::as_str).collect();
        result.extend_from_slice(format!("{} {key}", missing.join(",")).as_bytes());
        result.extend_from_slice(newline);
    }
    result
}

/// The keys that are accepted for any of `names`, by entries of exactly these names. One that is revoked, for
/// whichever machines, is none.
#[must_use]
pub fn find(content: &[u8], names: &[String]) -> Vec<HostPublicKey> {
    let revoked = revoked(content);
    let mut keys = Vec::new();
    for entry in content.split(|byte| *byte == b'\n').filter_map(Entry::parse) {
        if names.iter().any(|name| entry.names_host(name))
            && let Some(key) = str::from_utf8(entry.key).ok().and_then(|key| key.parse().ok())
            && !keys.contains(&key)
            && !revoked.contains(&key)
        {
            keys.push(key);
        }
    }
    keys
}

/// The keys of lines `@revoked HOSTS KEY`.
fn revoked(content: &[u8]) -> Vec<HostPublicKey> {
    let lines = content.split(|byte| *byte == b'\n').filter_map(|line| str::from_utf8(line).ok());
    let keys = lines.filter_map(|line| {
        let rest = line.trim().strip_prefix("@revoked")?.trim_start();
        rest.split_once([' ', '\t'])?.1.trim().parse().ok()
    });
    keys.collect()
}

/// Applies [`edit`] to a file: atomically, through symlinks, keeping mode and owner. Makes the file
/// (0600) and its folder (0700) where they are missing. Did anything change?
pub fn update_file(path: &Path, names: &[String], keys: &[HostPublicKey]) -> io::Result<bool> {
    let path = &files::follow(path)?;
    let old = match fs::read(path) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let new = edit(old.as_deref().unwrap_or_default(), names, keys);
    if old.as_ref() == Some(&new) || (old.is_none() && new.is_empty()) {
        return Ok(false);
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(files::folder_of(path))?;
    files::write_private(path, &new)?;
    Ok(true)
}

/// A line that says which key some hosts have, without a marker.
struct Entry<'a> {
    line: &'a [u8],
    /// Where the list of hosts is in the line.
    hosts: Range<usize>,
    /// From the key's algorithm to the end of the line.
    key: &'a [u8],
}

impl<'a> Entry<'a> {
    fn parse(line: &'a [u8]) -> Option<Self> {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let start = line.iter().position(|byte| !blank(byte))?;
        if matches!(line[start], b'#' | b'@' | b'\r' | b'\n') {
            return None;
        }
        let end = start + line[start..].iter().position(blank)?;
        let key = line[end..].trim_ascii();
        if key.is_empty() || key[0] == b'#' {
            return None;
        }
        Some(Self { line, hosts: start..end, key })
    }

    fn hosts(&self) -> impl Iterator<Item = &'a [u8]> {
        self.line[self.hosts.clone()].split(|byte| *byte == b',')
    }

    fn names_host(&self, name: &str) -> bool {
        self.hosts().any(|host| is_host(host, name))
    }

    fn is(&self, key: &HostPublicKey) -> bool {
        let mut words = self.key.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.next() == Some(key.kind().as_bytes()) && words.next() == Some(key.base64().as_bytes())
    }

    /// The line without `names`; nothing where no other host is left.
    fn without(&self, names: &[String]) -> Vec<u8> {
        let removed = |host: &&[u8]| names.iter().any(|name| is_host(host, name));
        if !self.hosts().any(|host| removed(&host)) {
            return self.line.to_vec();
        }
        let kept: Vec<&[u8]> = self.hosts().filter(|host| !removed(host)).collect();
        if kept.iter().all(|host| host.is_empty()) {
            return Vec::new();
        }
        let (before, after) = (&self.line[..self.hosts.start], &self.line[self.hosts.end..]);
        [before, &kept.join(&b','), after].concat()
    }
}

/// Is `host`, an item of a list of hosts, exactly `name`? Patterns never are.
fn is_host(host: &[u8], name: &str) -> bool {
    match host.strip_prefix(b"|1|") {
        Some(hashed) => is_hash_of(hashed, name).unwrap_or(false),
        None => host.eq_ignore_ascii_case(name.as_bytes()),
    }
}

/// `SALT|HASH`, both in base64: the hash is HMAC-SHA1 of the name, keyed with the salt.
fn is_hash_of(hashed: &[u8], name: &str) -> Option<bool> {
    let at = hashed.iter().position(|byte| *byte == b'|')?;
    let salt = BASE64.decode(&hashed[..at]).ok()?;
    let hash = BASE64.decode(&hashed[at + 1..]).ok()?;
    let mut mac = Hmac::<Sha1>::new_from_slice(&salt).ok()?;
    mac.update(name.to_ascii_lowercase().as_bytes());
    Some(mac.verify_slice(&hash).is_ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    const A: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
    const B: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB6G3CvOBvYDP/3VPKKvdRMJPbpS7xcX4LRGqhO8qS4w";

    fn key(line: &str) -> HostPublicKey {
        line.parse().unwrap()
    }

    fn edited(content: &str, names: &[&str], keys: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let keys: Vec<_> = keys.iter().map(|line| key(line)).collect();
        let once = edit(content.as_bytes(), &names, &keys);
        assert_eq!(edit(&once, &names, &keys), once, "a second run changes nothing");
        String::from_utf8(once).unwrap()
    }

    #[test]
    fn only_exact_names_go() {
        let kept = format!(
            "# grief {A}\n\n  \ngrief.lan {A}\nxgrief {A}\ngriefx {A}\n[grief]:2222 {A}\n\
             gr* {A}\n!grief,gr?ef {A}\n@revoked grief {A}\n@cert-authority grief {A}\ngrief\n"
        );
        let content = format!("{kept}grief {A}\n\tGRIEF {A} old\n");
        assert_eq!(edited(&content, &["grief"], &[]), kept);
        assert_eq!(
            edited(&kept, &["[grief]:2222"], &[]),
            kept.replace(&format!("[grief]:2222 {A}\n"), "")
        );
    }

    #[test]
    fn a_list_loses_only_the_name() {
        let content = format!("grief,10.0.0.1,*.lan {A} c\n");
        assert_eq!(edited(&content, &["grief"], &[]), format!("10.0.0.1,*.lan {A} c\n"));
        assert_eq!(edited(&content, &["10.0.0.1", "grief"], &[]), format!("*.lan {A} c\n"));
        assert_eq!(edited(&format!("a,b {A}"), &["a", "b"], &[]), "");
    }

    #[test]
    fn a_new_key_takes_the_place_of_an_old_one_once() {
        let content = format!("other {A}\ngrief {A}");
        assert_eq!(edited(&content, &["grief"], &[B]), format!("other {A}\ngrief {B}\n"));
        let content = format!("grief {A}\r\nother {A}\r\n");
        assert_eq!(edited(&content, &["grief"], &[B]), format!("other {A}\r\ngrief {B}\r\n"));
        let content = format!("x {A}\ngrief {B} mine");
        assert_eq!(edited(&content, &["grief"], &[B]), content);
        let both = format!("{content}\n10.0.0.1 {B}\n");
        assert_eq!(edited(&content, &["grief", "10.0.0.1"], &[B]), both);
        assert_eq!(edited("", &["a", "b"], &[A, B]), format!("a,b {A}\na,b {B}\n"));
    }

    #[test]
    fn names_follow_the_port_and_are_small() {
        let address = "Grief.Local".parse().unwrap();
        assert_eq!(names(&address, 22), ["grief.local"]);
        assert_eq!(names(&"::1".parse().unwrap(), 2222), ["[::1]:2222"]);
    }

    #[test]
    fn keys_are_found_by_exact_names() {
        let content = format!("grief,x {A}\n*ief {B}\n@revoked grief {B}\ngrief {A}\n");
        assert_eq!(find(content.as_bytes(), &["grief".to_owned()]), [key(A)]);
        let content = format!("grief {A}\ngrief {B}\n@revoked\t*  {B} stolen\n");
        assert_eq!(find(content.as_bytes(), &["grief".to_owned()]), [key(A)], "a revoked key");
        assert_eq!(find(content.as_bytes(), &["ief".to_owned()]), []);
    }

    #[test]
    fn a_file_is_replaced_behind_its_symlink_with_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&real, format!("grief {A}\nother {A}\n")).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("real", &link).unwrap();
        let update = || update_file(&link, &["grief".to_owned()], &[key(B)]).unwrap();
        assert!(update());
        assert_eq!(fs::read_to_string(&real).unwrap(), format!("other {A}\ngrief {B}\n"));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&real).unwrap().mode() & 0o7777, 0o640);
        let before = fs::metadata(&real).unwrap().ino();
        assert!(!update());
        assert_eq!(fs::metadata(&real).unwrap().ino(), before, "not even written");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left behind");
    }

    #[test]
    fn a_missing_file_and_folder_are_made_private() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(".ssh/known_hosts");
        assert!(!update_file(&file, &["grief".to_owned()], &[]).unwrap());
        assert!(!file.exists());
        assert!(update_file(&file, &["grief".to_owned()], &[key(A)]).unwrap());
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
    }
}
