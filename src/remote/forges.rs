//! The host keys that well-known forges publish. They are not asked of the network, where anybody could
//! answer; when a forge changes its key, its page says so and this list has to follow.

use super::destination::Destination;
use super::host_key::HostPublicKey;

/// Forge, its ed25519 key, and the page that publishes the key or its fingerprint.
const FORGES: &[(&str, &str, &str)] = &[
    (
        "github.com",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
        "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/githubs-ssh-key-fingerprints",
    ),
    (
        "gitlab.com",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf",
        "https://docs.gitlab.com/user/gitlab_com/#ssh-known_hosts-entries",
    ),
    (
        "codeberg.org",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIVIC02vnjFyL+I4RHfvIGNtOgJMe769VTF1VR4EB3ZB",
        "https://docs.codeberg.org/security/ssh-fingerprint/",
    ),
];

/// A forge and the key that it publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forge {
    /// Where it is fetched from.
    pub machine: Destination,
    /// Its key.
    pub key: HostPublicKey,
}

/// Every forge whose key is known.
#[must_use]
pub fn all() -> Vec<Forge> {
    let forges = FORGES.iter().filter_map(|(name, key, _)| {
        Some(Forge { machine: Destination::of(name.parse().ok()?), key: key.parse().ok()? })
    });
    forges.collect()
}

/// The published key of a forge, and the page that publishes it.
#[must_use]
pub fn published(name: &str) -> Option<(HostPublicKey, &'static str)> {
    let forge = FORGES.iter().find(|(forge, ..)| forge.eq_ignore_ascii_case(name));
    let (_, key, source) = forge?;
    Some((key.parse().ok()?, source))
}

/// The forges whose keys are known.
#[must_use]
pub fn names() -> Vec<&'static str> {
    FORGES.iter().map(|(name, ..)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the three pages give as SHA256 fingerprints of their ed25519 keys.
    #[test]
    fn the_keys_have_the_published_fingerprints() {
        let published = names().into_iter().map(|name| {
            let (key, _) = published(name).unwrap();
            (name, key.fingerprint().to_owned())
        });
        let expected = [
            ("github.com", "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"),
            ("gitlab.com", "SHA256:eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8"),
            ("codeberg.org", "SHA256:mIlxA9k46MmM6qdJOdMnAQpzGxF4WIVVL+fj+wZbw0g"),
        ];
        for ((name, fingerprint), expected) in published.zip(expected) {
            assert_eq!((name, fingerprint.as_str()), expected);
        }
        assert!(super::published("example.org").is_none());
        assert_eq!(all().len(), names().len());
    }
}
