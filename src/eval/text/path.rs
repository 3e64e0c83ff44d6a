//! Paths as text, without a look at the file system: `canonPath`, `baseNameOf`, `dirOf`.

/// An absolute path without `.`, `..`, doubled and trailing slashes. `..` at the root stays at the root,
/// symbolic links are not looked at, and a path without a leading slash is taken as below the root.
#[must_use]
pub fn canonical(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + 1);
    append_canonical(&mut out, path);
    if out.is_empty() {
        out.push(b'/');
    }
    out
}

/// `path` from the directory `base`: itself if absolute, else below `base`; canonical in both cases.
#[must_use]
pub fn join(base: &[u8], path: &[u8]) -> Vec<u8> {
    if path.first() == Some(&b'/') {
        return canonical(path);
    }
    let mut out = Vec::with_capacity(base.len() + path.len() + 2);
    append_canonical(&mut out, base);
    append_canonical(&mut out, path);
    if out.is_empty() {
        out.push(b'/');
    }
    out
}

/// Whether [`canonical`] would leave the path as it is, so that it need not be copied.
#[must_use]
pub fn is_canonical(path: &[u8]) -> bool {
    match path {
        [b'/'] => true,
        [b'/', rest @ ..] => {
            rest.split(|&b| b == b'/').all(|part| !matches!(part, b"" | b"." | b".."))
        }
        _ => false,
    }
}

/// The last component of a string. Exactly one trailing slash is overlooked, so `"a//"` has none.
#[must_use]
pub fn base_name(path: &[u8]) -> &[u8] {
    let path = match path {
        [rest @ .., b'/'] if !rest.is_empty() => rest,
        _ => path,
    };
    match memchr::memrchr(b'/', path) {
        Some(slash) => &path[slash + 1..],
        None => path,
    }
}

/// What comes before the last slash of a string: `/` if that slash is the first byte, `.` without one.
/// Trailing slashes are slashes like any other.
#[must_use]
pub fn dir_name(path: &[u8]) -> &[u8] {
    match memchr::memrchr(b'/', path) {
        None => b".",
        Some(0) => b"/",
        Some(slash) => &path[..slash],
    }
}

/// Appends the components of `path` to `out`, which is canonical or empty for the root.
fn append_canonical(out: &mut Vec<u8>, path: &[u8]) {
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => out.truncate(memchr::memrchr(b'/', out).unwrap_or(0)),
            name => {
                out.push(b'/');
                out.extend_from_slice(name);
            }
        }
    }
}
