//! URLs as Nix reads and writes them: RFC 3986, but with spaces and quotes in queries and fragments
//! where the caller is lenient, and always written with as many `%` as possible.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

/// What is allowed in a path beside letters, digits and `-._~`, when it is written.
const KEPT_IN_PATH: &[u8] = b":@";
/// What is allowed in a query beside letters, digits and `-._~`, when it is written.
const KEPT_IN_QUERY: &[u8] = b":@/?";

/// A URL in parts, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// `git+https`, in the case it was written in.
    pub scheme: Vec<u8>,
    /// What follows `//`.
    pub authority: Option<Authority>,
    /// The path, split at slashes: that of an absolute one begins with an empty name.
    pub path: Vec<Vec<u8>>,
    /// The parameters. Of one that comes twice the first counts; those without `=` are dropped.
    pub query: Query,
    /// What follows `#`.
    pub fragment: Vec<u8>,
}

/// Parameters by name.
pub type Query = BTreeMap<Vec<u8>, Vec<u8>>;

/// The part of a URL that names a machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authority {
    user: Option<Vec<u8>>,
    password: Option<Vec<u8>>,
    /// A name or a number; what stands between brackets, if `bracketed`.
    host: Vec<u8>,
    bracketed: bool,
    port: Option<u16>,
}

/// A text that is no URL: what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadUrl(pub String);

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// [`BadUrl`] for what is none, for one without a scheme, and for a `file:` URL with a host.
    pub fn parse(text: &[u8], lenient: bool) -> Result<Self, BadUrl> {
        let invalid = || BadUrl(format!("'{}' is not a valid URL: leftover", shown(text)));
        let (rest, fragment) = cut(text, b'#');
        let (rest, query) = cut(rest, b'?');
        let (scheme, rest) = match split_once(rest, b':') {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            Some((first, _)) if !first.contains(&b'/') => return Err(invalid()),
            _ => (None, rest),
        };
        let (authority, path) = match rest.strip_prefix(b"//") {
            Some(rest) => {
                let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
                let (authority, path) = rest.split_at(end);
                (Some(authority), path)
            }
            None => (None, rest),
        };
        let fine = is_encoded(path, |byte| is_pchar(byte) || byte == b'/')
            && query.is_none_or(|query| is_query(query, lenient))
            && fragment.is_none_or(|fragment| {
                let extra: &[u8] = if lenient { b" \"^" } else { b"" };
                is_encoded(fragment, |byte| is_query_char(byte) || extra.contains(&byte))
            });
        if !fine {
            return Err(invalid());
        }
        let authority = match authority {
            Some(text) => Some(Authority::parse(text)?.ok_or_else(invalid)?),
            None => None,
        };
        let Some(scheme) = scheme else {
            return Err(BadUrl(format!("'{}' doesn't have a scheme", shown(text))));
        };
        let is_file = split_scheme(scheme).1 == b"file";
        if let Some(authority) = &authority
            && is_file
            && !authority.host.is_empty()
        {
            return Err(BadUrl(format!(
                "file:// URL '{}' has unexpected authority '{}'",
                shown(text),
                shown(&authority.to_bytes())
            )));
        }
        let path: &[u8] = if is_file && path.is_empty() { b"/" } else { path };
        Ok(Self {
            scheme: scheme.to_vec(),
            authority,
            path: path.split(|byte| *byte == b'/').map(decoded).collect(),
            query: parse_query(query.unwrap_or_default(), lenient)?,
            fragment: decoded(fragment.unwrap_or_default()),
        })
    }

    /// The URL as text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = [&self.scheme[..], b":"].concat();
        if let Some(authority) = &self.authority {
            out.extend_from_slice(b"//");
            out.extend(authority.to_bytes());
        }
        for (index, name) in self.path.iter().enumerate() {
            if index > 0 {
                out.push(b'/');
            }
            encode(name, KEPT_IN_PATH, &mut out);
        }
        for (index, (name, value)) in self.query.iter().enumerate() {
            out.push(if index == 0 { b'?' } else { b'&' });
            encode(name, KEPT_IN_QUERY, &mut out);
            out.push(b'=');
            encode(value, KEPT_IN_QUERY, &mut out);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            encode(&self.fragment, b"", &mut out);
        }
        out
    }

    /// The names in the path that are not empty.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.path.iter().map(|name| &name[..]).filter(|name| !name.is_empty())
    }

    /// The path as one of the file system.
    ///
    /// # Errors
    ///
    /// [`BadUrl`] if a name in it is none that a file can have.
    pub fn file_path(&self) -> Result<Vec<u8>, BadUrl> {
        let mut path = Vec::new();
        for (index, name) in self.path.iter().enumerate() {
            if name.contains(&b'/') || name.contains(&0) {
                let message =
                    format!("URL path component '{}' is not allowed in file names", shown(name));
                return Err(BadUrl(message));
            }
            let absolute = index == 0 && name.is_empty();
            if absolute || index > 0 && !path.ends_with(b"/") {
                path.push(b'/');
            }
            path.extend_from_slice(name);
        }
        Ok(path)
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&shown(&self.to_bytes()))
    }
}

impl Authority {
    /// Reads what stands behind `//`; `None` if it is against the grammar.
    fn parse(text: &[u8]) -> Result<Option<Self>, BadUrl> {
        let (user_info, rest) = match text.iter().rposition(|byte| *byte == b'@') {
            Some(at) => (Some(&text[..at]), &text[at + 1..]),
            None => (None, text),
        };
        let user_info = user_info.map(|info| cut(info, b':'));
        let (host, bracketed, port) = match rest.strip_prefix(b"[") {
            Some(rest) => match split_once(rest, b']') {
                Some((host, b"")) => (host, true, None),
                Some((host, rest)) if rest.starts_with(b":") => (host, true, rest.get(1..)),
                _ => return Ok(None),
            },
            None => {
                let (host, port) = cut(rest, b':');
                (host, false, port)
            }
        };
        let in_name = |byte| is_unreserved(byte) || is_sub_delimiter(byte);
        let fine = user_info.is_none_or(|(user, password)| {
            is_encoded(user, in_name)
                && is_encoded(password.unwrap_or_default(), |byte| in_name(byte) || byte == b':')
        }) && if bracketed { is_ip_literal(host) } else { is_encoded(host, in_name) }
            && port.unwrap_or_default().iter().all(u8::is_ascii_digit);
        if !fine {
            return Ok(None);
        }
        let port = match port {
            None | Some(b"") => None,
            Some(digits) => match str::from_utf8(digits).ok().and_then(|port| port.parse().ok()) {
                Some(port) => Some(port),
                None => return Err(BadUrl(format!("port '{}' is invalid", shown(digits)))),
            },
        };
        Ok(Some(Self {
            user: user_info.map(|(user, _)| decoded(user)),
            password: user_info.and_then(|(_, password)| password).map(decoded),
            host: decoded(host),
            bracketed,
            port,
        }))
    }

    /// Does it name no machine?
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.host.is_empty()
    }

    /// The authority as text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(user) = &self.user {
            encode(user, b"", &mut out);
            if let Some(password) = &self.password {
                out.push(b':');
                encode(password, b"", &mut out);
            }
            out.push(b'@');
        }
        if self.bracketed {
            out.push(b'[');
            encode(&self.host, b":", &mut out);
            out.push(b']');
        } else {
            encode(&self.host, b"", &mut out);
        }
        if let Some(port) = self.port {
            out.extend(format!(":{port}").into_bytes());
        }
        out
    }
}

/// Reads the parameters behind `?`.
///
/// # Errors
///
/// [`BadUrl`] if there is a character that must be encoded; `lenient` lets spaces and quotes pass.
pub fn parse_query(text: &[u8], lenient: bool) -> Result<Query, BadUrl> {
    if !is_query(text, lenient) {
        return Err(BadUrl(format!("invalid URI query '{}': leftover", shown(text))));
    }
    let mut query = Query::new();
    for (name, value) in text.split(|byte| *byte == b'&').filter_map(|one| split_once(one, b'=')) {
        query.entry(decoded(name)).or_insert_with(|| decoded(value));
    }
    Ok(query)
}

/// The parts of a scheme: `git+https` is `https`, for `git`.
#[must_use]
pub fn split_scheme(scheme: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match split_once(scheme, b'+') {
        Some((application, transport)) => (Some(application), transport),
        None => (None, scheme),
    }
}

/// Decodes `%41`. Only for texts that [`is_encoded`] has seen.
#[must_use]
pub fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        match (byte, after.split_first_chunk()) {
            (b'%', Some((&[high, low], after))) => {
                out.push(hex_digit(high) << 4 | hex_digit(low));
                rest = after;
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
    out
}

fn hex_digit(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0)
}

fn encode(text: &[u8], keep: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text {
        if is_unreserved(byte) || keep.contains(&byte) {
            out.push(byte);
        } else {
            let digit = |nibble: u8| DIGITS[usize::from(nibble & 15)];
            out.extend([b'%', digit(byte >> 4), digit(byte)]);
        }
    }
}

/// Is each `%` followed by two digits, and is everything else `allowed`?
pub fn is_encoded(text: &[u8], allowed: impl Fn(u8) -> bool) -> bool {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, after.split_first_chunk::<2>()) {
            (b'%', Some((digits, after))) if digits.iter().all(u8::is_ascii_hexdigit) => after,
            _ if allowed(byte) => after,
            _ => return false,
        };
    }
    true
}

/// May it stand in a path as it is?
#[must_use]
pub fn is_pchar(byte: u8) -> bool {
    is_unreserved(byte) || is_sub_delimiter(byte) || matches!(byte, b':' | b'@')
}

fn is_query(text: &[u8], lenient: bool) -> bool {
    let extra: &[u8] = if lenient { b" \"" } else { b"" };
    is_encoded(text, |byte| is_query_char(byte) || extra.contains(&byte))
}

fn is_query_char(byte: u8) -> bool {
    is_pchar(byte) || b"/?[]".contains(&byte)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn is_sub_delimiter(byte: u8) -> bool {
    b"!$&'()*+,;=".contains(&byte)
}

fn is_scheme(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
}

/// An IPv6 address, with or without a zone, or `v1.…`.
fn is_ip_literal(text: &[u8]) -> bool {
    if let Some(rest) = text.strip_prefix(b"v") {
        return match split_once(rest, b'.') {
            Some((version, address)) => {
                let fine =
                    |&byte: &u8| is_unreserved(byte) || is_sub_delimiter(byte) || byte == b':';
                let hex = !version.is_empty() && version.iter().all(u8::is_ascii_hexdigit);
                hex && !address.is_empty() && address.iter().all(fine)
            }
            None => false,
        };
    }
    let (address, zone) = match text.windows(3).position(|three| three == b"%25") {
        Some(at) => (&text[..at], Some(&text[at + 3..])),
        None => (text, None),
    };
    let address = str::from_utf8(address).ok().and_then(|text| text.parse::<Ipv6Addr>().ok());
    address.is_some() && zone.is_none_or(|zone| !zone.is_empty() && is_encoded(zone, is_unreserved))
}

/// What stands before the first `mark`, and what behind it.
fn cut(text: &[u8], mark: u8) -> (&[u8], Option<&[u8]>) {
    match split_once(text, mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn split_once(text: &[u8], mark: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(mark, text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &str) -> String {
        match Url::parse(text.as_bytes(), true) {
            Ok(url) => url.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn urls_are_written_with_everything_encoded() {
        for (url, expected) in [
            (
                "https://u:p%40@h.x:80/a+b/%7e?b=c&a=d%26#e f",
                "https://u:p%40@h.x:80/a%2Bb/~?a=d%26&b=c#e%20f",
            ),
            ("https://h?a=1&a=2&&b", "https://h?a=1"),
            ("file://", "file:///"),
            ("https://[::1]:/x", "https://[::1]/x"),
            ("git+https:x", "git+https:x"),
            ("HTTPS://A/", "HTTPS://A/"),
        ] {
            assert_eq!(again(url), expected);
        }
    }

    #[test]
    fn what_is_no_url_is_told() {
        for url in
            ["x y", ":", "1:a", "https://h/%zz", "https://[x]/", "https://a:b", "https://h/\u{e4}"]
        {
            assert_eq!(again(url), format!("'{url}' is not a valid URL: leftover"));
        }
        assert_eq!(again("/x"), "'/x' doesn't have a scheme");
        assert_eq!(again("x/y:z"), "'x/y:z' doesn't have a scheme");
        assert_eq!(again("https://h:65536"), "port '65536' is invalid");
        assert_eq!(
            again("git+file://h/x"),
            "file:// URL 'git+file://h/x' has unexpected authority 'h'"
        );
        assert!(Url::parse(b"https://h?a b", false).is_err());
    }

    #[test]
    fn paths_of_urls_are_paths_of_files() {
        let path = |url: &str| Url::parse(url.as_bytes(), true).unwrap().file_path();
        let paths =
            ["path:/a%20b//c/", "path:./x", "path:", "path:x/../y"].map(|url| path(url).unwrap());
        assert_eq!(paths, [&b"/a b/c/"[..], b"./x", b"/", b"x/../y"]);
        assert!(path("path:/a%2fb").is_err() && path("path:/a%00").is_err());
    }
}
