//! Store paths: what is one, and how they are computed. Computed paths are what C++ Nix 2.34.8
//! gives.

use std::collections::BTreeSet;

use crate::store::{
    CaMethod, ContentAddress, DownstreamPlaceholder, Hash, HashAlgo, References, StoreDir,
    StoreError, StorePath, check_name, hash_placeholder, output_path_name, sha256,
};

const HASH: &str = "0123456789abcdfghijklmnpqrsvwxyz";

fn path(name: &str) -> StorePath {
    StorePath::from_base_name(format!("{HASH}-{name}").as_bytes()).unwrap()
}

#[test]
fn names() {
    let longest = "x".repeat(StorePath::MAX_NAME_LEN);
    for name in ["a", "-", ".x", "..x", "...", "a+b-c._?=Z9", &longest] {
        assert_eq!(check_name(name.as_bytes()).unwrap(), name);
    }
    let longer = format!("{longest}x");
    for (name, message) in [
        ("", "name must not be empty"),
        (".", "name '.' is not valid"),
        ("..", "name '..' is not valid"),
        (".-x", "name '.-x' is not valid: first dash-separated component must not be '.'"),
        ("..-", "name '..-' is not valid: first dash-separated component must not be '..'"),
        ("a/b", "name 'a/b' contains illegal character '/'"),
        ("a b", "name 'a b' contains illegal character ' '"),
        (&longer, &format!("name '{longer}' must be no longer than 211 characters")),
    ] {
        assert_eq!(check_name(name.as_bytes()).unwrap_err().to_string(), message);
        let base_name = format!("{HASH}-{name}");
        let error = StorePath::from_base_name(base_name.as_bytes()).unwrap_err();
        let message = format!("path '{base_name}' is not a valid store path: {message}");
        assert_eq!(error.to_string(), message);
    }
    assert!(check_name(b"caf\xc3\xa9").is_err());
    assert!(check_name(b"\xff").is_err());
}

#[test]
fn base_names() {
    let path = path("foo-1.2.drv");
    assert_eq!(path.hash_part(), HASH);
    assert_eq!(path.name(), "foo-1.2.drv");
    assert!(path.is_derivation());
    assert_eq!(path.derivation_name().unwrap(), "foo-1.2");
    let other = StorePath::from_base_name(format!("{HASH}-foo").as_bytes()).unwrap();
    let message = format!("store path '{HASH}-foo' is not a valid derivation path");
    assert_eq!(other.derivation_name().unwrap_err().to_string(), message);
    assert!(other < path);
    for (base_name, message) in [
        ("foo", "'foo' is too short to be a valid store path"),
        (HASH, &*format!("'{HASH}' is too short to be a valid store path")),
        (
            &format!("{HASH}_foo"),
            &format!(
                "'{HASH}_foo' can't name a store path because the hash part is not followed by a '-'"
            ),
        ),
        (
            &format!("e{}-foo", &HASH[1..]),
            &format!("store path 'e{}-foo' contains illegal base-32 character 'e'", &HASH[1..]),
        ),
    ] {
        let error = StorePath::from_base_name(base_name.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn absolute_paths() {
    let store = StoreDir::default();
    let foo = path("foo");
    let absolute = format!("/nix/store/{HASH}-foo");
    assert_eq!(store.to_absolute(&foo), absolute.as_bytes());
    for written in ["", "/", "/."] {
        assert_eq!(store.parse(format!("{absolute}{written}").as_bytes()).unwrap(), foo);
    }
    for before in ["//nix/./store/", "/a/../nix/store//", "/../nix/store/x/../"] {
        assert_eq!(store.parse(format!("{before}{HASH}-foo").as_bytes()).unwrap(), foo);
        assert!(store.parse_canonical(format!("{before}{HASH}-foo").as_bytes()).is_err());
    }
    let inside = format!("{absolute}/bin");
    let outside =
        ["/nix/stor", "/nix/store", "/nix/store/", "nix/store/x", &inside, "/nix/storex/x"];
    for outside in outside {
        let error = store.parse(outside.as_bytes()).unwrap_err();
        assert!(matches!(error, StoreError::NotInStore(_)), "{outside}: {error}");
    }
    assert!(matches!(store.parse(b""), Err(StoreError::EmptyPath)));
    assert!(matches!(store.parse(b"/nix/store/foo"), Err(StoreError::PathTooShort(_))));
}

#[test]
fn paths_inside_of_store_paths() {
    let store = StoreDir::default();
    for rest in ["", "/", "/bin/sh", "/a//b", "/\u{e9}"] {
        let whole = format!("/nix/store/{HASH}-foo{rest}");
        let split = store.split(whole.as_bytes()).unwrap();
        assert_eq!(split, (path("foo"), rest.as_bytes()));
    }
    for outside in ["/nix/store", "/nix/store/", "/etc", ""] {
        assert!(matches!(store.split(outside.as_bytes()), Err(StoreError::NotInStore(_))));
    }
    assert!(store.split(b"/nix/store/foo/bar").is_err());
}

#[test]
fn store_folders() {
    assert_eq!(StoreDir::default(), StoreDir::new(b"/nix/store").unwrap());
    for wrong in ["", "/", "nix/store", "/nix/store/", "/nix//store", "/nix/../store"] {
        assert!(matches!(StoreDir::new(wrong.as_bytes()), Err(StoreError::StoreDir(_))));
    }
}

fn sha(algo: HashAlgo) -> Hash {
    Hash::of(algo, b"hello")
}

#[test]
fn computed_paths() {
    let store = StoreDir::default();
    let text = store.text_path(b"hello.txt", sha256(b"hello"), &BTreeSet::new()).unwrap();
    assert_eq!(text.base_name(), "q790zdjk75hm2cn42nh77pqw4gbv1b88-hello.txt");
    let both = BTreeSet::from([text.clone()]);
    let text = store.text_path(b"x", sha256(b"hello"), &both).unwrap();
    assert_eq!(text.base_name(), "v5a3pjs6qzi43ax4nxjsf3l7hrrp0i19-x");
    for (method, algo, base_name) in [
        (CaMethod::Flat, HashAlgo::Sha256, "mpj4vila1vjy7hlgaiiwannrfjpfxcfm-foo"),
        (CaMethod::Nar, HashAlgo::Sha256, "7j0h36bmjnnmskczm73rnbx7r5pib0wa-foo"),
        (CaMethod::Flat, HashAlgo::Md5, "vnl18wx7i8wx2ww8m6g601691197a1wf-foo"),
        (CaMethod::Nar, HashAlgo::Sha1, "5b7iyiiz1ij1ip1nny9fp0fc3mjwjwxk-foo"),
        (CaMethod::Nar, HashAlgo::Sha512, "yi3692s567g7qh9cf4ks5biq9y9ssa93-foo"),
        (CaMethod::Git, HashAlgo::Sha1, "anx7rpp4n2w55mvxn1y3hl91q5m1iixr-foo"),
    ] {
        let address = ContentAddress { method, hash: sha(algo) };
        let path = store.ca_path(b"foo", &address, References::NONE).unwrap();
        assert_eq!(path.base_name(), base_name, "{method:?} {algo}");
    }
}

#[test]
fn references_are_part_of_sources_and_texts_alone() {
    let store = StoreDir::default();
    let others = BTreeSet::from([path("a"), path("b")]);
    let references = References { others: &others, to_itself: false };
    let to_itself = References { others: &BTreeSet::new(), to_itself: true };
    let at = |method, algo, references| {
        store.ca_path(b"foo", &ContentAddress { method, hash: sha(algo) }, references)
    };
    let source = |references| at(CaMethod::Nar, HashAlgo::Sha256, references).unwrap();
    let all = [References::NONE, references, to_itself].map(source);
    assert_eq!(BTreeSet::from(all.clone()).len(), 3);
    // The fingerprint that the manual describes, put together by hand.
    let kind = format!("source:/nix/store/{HASH}-a:/nix/store/{HASH}-b");
    let by_hand = store.make_store_path(kind.as_bytes(), &sha(HashAlgo::Sha256), b"foo").unwrap();
    assert_eq!(all[1], by_hand);
    let by_hand = store.make_store_path(b"source:self", &sha(HashAlgo::Sha256), b"foo").unwrap();
    assert_eq!(all[2], by_hand);

    for (method, algo) in [(CaMethod::Flat, HashAlgo::Sha256), (CaMethod::Nar, HashAlgo::Sha1)] {
        for references in [references, to_itself] {
            let error = at(method, algo, references).unwrap_err();
            assert!(matches!(error, StoreError::FixedOutputReferences(name) if name == "foo"));
        }
    }
    let text = at(CaMethod::Text, HashAlgo::Sha256, to_itself);
    assert!(matches!(text, Err(StoreError::TextSelfReference)));
    let text = at(CaMethod::Text, HashAlgo::Sha1, References::NONE);
    assert!(matches!(text, Err(StoreError::TextHashAlgo("sha1"))));
    let git = at(CaMethod::Git, HashAlgo::Md5, References::NONE).unwrap_err();
    let message = "Git file ingestion must use SHA-1 or SHA-256 hash, but instead using: md5";
    assert_eq!(git.to_string(), message);
}

#[test]
fn a_name_that_breaks_a_rule_gives_no_path() {
    // What `builtins.toFile "" "x"` says.
    let error = StoreDir::default().text_path(b"", sha256(b"x"), &BTreeSet::new()).unwrap_err();
    let message = "path '9r1mh2rc3s3i33vpdw86kqqyvy9i1y4w-' is not a valid store path: name must not be empty";
    assert_eq!(error.to_string(), message);
}

#[test]
fn methods_have_names() {
    for (name, method) in [
        ("flat", CaMethod::Flat),
        ("nar", CaMethod::Nar),
        ("git", CaMethod::Git),
        ("text", CaMethod::Text),
    ] {
        assert_eq!(CaMethod::parse(name.as_bytes()).unwrap(), method);
    }
    assert!(CaMethod::parse(b"recursive").is_err());
}

#[test]
fn output_names_and_placeholders() {
    assert_eq!(output_path_name(b"foo", b"out"), b"foo");
    assert_eq!(output_path_name(b"foo", b"dev"), b"foo-dev");
    // Nix manual, `builtins.placeholder`, and Nix' own test of downstream placeholders.
    assert_eq!(hash_placeholder(b"out"), "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9");
    let drv = "g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo.drv";
    let drv = StorePath::from_base_name(drv.as_bytes()).unwrap();
    let placeholder = DownstreamPlaceholder::unknown_ca_output(&drv, b"out");
    assert_eq!(placeholder.render(), "/0c6rn30q4frawknapgwq386zq358m8r6msvywcvc89n6m5p2dgbz");
    let drv = "g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo.drv.drv";
    let drv = StorePath::from_base_name(drv.as_bytes()).unwrap();
    let placeholder = DownstreamPlaceholder::unknown_ca_output(&drv, b"out");
    let placeholder = DownstreamPlaceholder::unknown_derivation(&placeholder, b"out");
    assert_eq!(placeholder.render(), "/0gn6agqxjyyalf0dpihgyf49xq5hqxgw100f0wydnj6yqrhqsb3w");
}
