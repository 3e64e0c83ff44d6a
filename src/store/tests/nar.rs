//! Archives from and into memory. The pinned hashes are what C++ Nix 2.34.8 gives for such trees.

use std::io::Read;

use crate::store::{
    Hash, HashAlgo, HashFormat, NarEvent, NarNode, NarReader, NarSource, StoreError, hash_nar,
    write_nar,
};

/// A tree in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tree {
    File(bool, Vec<u8>),
    Link(Vec<u8>),
    Folder(Vec<(Vec<u8>, Tree)>),
}

struct Memory;

impl NarSource for Memory {
    type Handle = Tree;
    type Contents<'a> = std::io::Cursor<Vec<u8>>;
    type Error = StoreError;

    fn open(&mut self, tree: &Tree) -> Result<NarNode<Tree, Self::Contents<'_>>, StoreError> {
        Ok(match tree.clone() {
            Tree::File(executable, contents) => NarNode::File {
                executable,
                size: contents.len() as u64,
                contents: std::io::Cursor::new(contents),
            },
            Tree::Link(target) => NarNode::Symlink { target },
            Tree::Folder(entries) => NarNode::Directory { entries },
        })
    }
}

fn nar(tree: &Tree) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_nar(&mut Memory, tree, &mut bytes).unwrap();
    bytes
}

fn file(text: &str) -> Tree {
    Tree::File(false, text.into())
}

fn folder<const N: usize>(entries: [(&[u8], Tree); N]) -> Tree {
    Tree::Folder(entries.map(|(name, tree)| (name.to_vec(), tree)).into())
}

/// Everything that an archive can hold, entries in order.
fn sample() -> Tree {
    folder([
        (b"\x01\xff", file("")),
        (b"A", Tree::File(true, b"#!/bin/sh\n".to_vec())),
        (b"a", file("12345678")),
        (b"a b\n", file("1234567")),
        (b"a.b", folder([])),
        (b"ab", folder([(b"x", folder([(b"y", Tree::Link(b"../\xfe".to_vec()))]))])),
        (b"\xc3\xa9", Tree::File(false, (0..200_000_u32).map(|n| n.to_le_bytes()[1]).collect())),
    ])
}

/// Reads an archive back into a tree.
fn read(bytes: &[u8]) -> Result<Tree, StoreError> {
    let mut reader = NarReader::new(bytes);
    let first = reader.next_event()?.unwrap();
    let tree = read_node(&mut reader, first)?;
    assert_eq!(reader.next_event()?, None);
    assert_eq!(reader.next_event()?, None);
    Ok(tree)
}

fn read_node(reader: &mut NarReader<&[u8]>, event: NarEvent) -> Result<Tree, StoreError> {
    match event {
        NarEvent::File { executable, size } => {
            let mut contents = Vec::new();
            reader.read_to_end(&mut contents)?;
            assert_eq!(contents.len() as u64, size);
            Ok(Tree::File(executable, contents))
        }
        NarEvent::Symlink(target) => Ok(Tree::Link(target)),
        NarEvent::Directory => {
            let mut entries = Vec::new();
            loop {
                match reader.next_event()?.unwrap() {
                    NarEvent::Entry(name) => {
                        let event = reader.next_event()?.unwrap();
                        entries.push((name, read_node(reader, event)?));
                    }
                    NarEvent::End => return Ok(Tree::Folder(entries)),
                    other => panic!("{other:?} in a folder"),
                }
            }
        }
        other => panic!("{other:?} as a node"),
    }
}

#[test]
fn a_tree_comes_back() {
    let sample = sample();
    let bytes = nar(&sample);
    assert_eq!(read(&bytes).unwrap(), sample);
    let (hash, size) = hash_nar(&mut Memory, &sample, HashAlgo::Sha256).unwrap();
    assert_eq!(size, bytes.len() as u64);
    assert_eq!(hash, Hash::of(HashAlgo::Sha256, &bytes));
}

#[test]
fn known_hashes() {
    for (tree, hash) in [
        (file(""), "0ip26j2h11n1kgkz36rl4akv694yz65hr72q4kv4b3lxcbi65b3p"),
        (folder([]), "0sjjj9z1dhilhpc8pq4154czrb79z9cm044jvn75kxcjv6v5l2m5"),
        (Tree::File(true, b"abc".to_vec()), "17n9dn3zklvmb9i3pg0al9fsnfhr7ag3hliqk7x9yjd2xha3wn04"),
        (Tree::Link(b"/nowhere".to_vec()), "17i924lkdn0b9kk9pvdzqbp52qsvfnr0z5lj2crkyq0a5wak2xc2"),
        (
            folder([(b"b", file("1")), (b"a", file("2")), (b"B", Tree::Link(b"a".to_vec()))]),
            "07dhn1if4xk4zmhq53fzqbshp9wj6mnv5h56f2v954nypkdcx448",
        ),
    ] {
        let (found, _) = hash_nar(&mut Memory, &tree, HashAlgo::Sha256).unwrap();
        assert_eq!(found.to_text(HashFormat::Nix32, false), hash, "{tree:?}");
    }
}

#[test]
fn entries_are_sorted_by_bytes() {
    let Tree::Folder(mut entries) = sample() else { panic!("the sample is a folder") };
    entries.reverse();
    assert_eq!(nar(&Tree::Folder(entries)), nar(&sample()));
}

#[test]
fn what_is_not_read_of_a_file_is_passed_over() {
    let bytes = nar(&sample());
    let mut reader = NarReader::new(&bytes[..]);
    let mut names = Vec::new();
    while let Some(event) = reader.next_event().unwrap() {
        if let NarEvent::Entry(name) = event {
            names.push(name);
        }
        if names.len() % 2 == 0 {
            let _ = reader.read(&mut [0; 3]).unwrap();
        }
    }
    let expected: [&[u8]; 9] =
        [b"\x01\xff", b"A", b"a", b"a b\n", b"a.b", b"ab", b"x", b"y", b"\xc3\xa9"];
    assert_eq!(names, expected);
}

#[test]
fn what_follows_an_archive_is_left() {
    let mut bytes = nar(&file("x"));
    bytes.extend_from_slice(b"more");
    let mut reader = NarReader::new(&bytes[..]);
    while reader.next_event().unwrap().is_some() {}
    assert_eq!(reader.into_inner(), b"more");
}

#[test]
fn trees_that_cannot_be_archived() {
    for name in [b"".as_slice(), b".", b"..", b"a/b", b"a\0"] {
        let error = write_nar(&mut Memory, &folder([(name, file(""))]), Vec::new()).unwrap_err();
        assert!(matches!(error, StoreError::FileName(_)));
    }
    let twice = folder([(b"a", file("1")), (b"b", file("")), (b"a", file("2"))]);
    let error = write_nar(&mut Memory, &twice, Vec::new()).unwrap_err();
    assert!(matches!(error, StoreError::FileName(name) if name == "a"));
}

#[test]
fn depth_has_a_limit() {
    let nested = |depth| (0..depth).fold(folder([]), |inner, _| folder([(b"d", inner)]));
    let deepest = nested(63);
    assert_eq!(read(&nar(&deepest)).unwrap(), deepest);
    let error = write_nar(&mut Memory, &nested(64), Vec::new()).unwrap_err();
    let message = format!("path '{}' exceeds maximum NAR directory depth of 64", "/d".repeat(64));
    assert_eq!(error.to_string(), message);
    let mut deeper = strings(&["nix-archive-1"]);
    for _ in 0..65 {
        deeper.extend(strings(&["(", "type", "directory", "entry", "(", "name", "d", "node"]));
    }
    let message = "bad archive: NAR directory nesting exceeds maximum depth of 64";
    assert_eq!(read(&deeper).unwrap_err().to_string(), message);
}

struct Short;

impl NarSource for Short {
    type Handle = u64;
    type Contents<'a> = &'static [u8];
    type Error = StoreError;

    fn open(&mut self, size: &u64) -> Result<NarNode<u64, &'static [u8]>, StoreError> {
        Ok(NarNode::File { executable: false, size: *size, contents: b"abc" })
    }
}

#[test]
fn a_file_must_have_the_bytes_that_it_says() {
    write_nar(&mut Short, &3, Vec::new()).unwrap();
    write_nar(&mut Short, &2, Vec::new()).unwrap();
    for size in [4, 1 << 20, u64::MAX] {
        let error = write_nar(&mut Short, &size, Vec::new()).unwrap_err();
        assert!(matches!(error, StoreError::FileSize(s) if s == size));
    }
}

fn strings(texts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }
    bytes
}

#[test]
fn malformed_archives_are_refused_in_nix_s_words() {
    let long = "a".repeat(5000);
    let cases: [(&[&str], &str); 16] = [
        (&["nix-archive-2"], "bad archive: input doesn't look like a Nix archive"),
        (&["nix-archive-10"], "bad archive: input doesn't look like a Nix archive"),
        (&["nix-archive-1", "["], "bad archive: expected tag '(', got '['"),
        (&["nix-archive-1", &long], "string is too long"),
        (&["nix-archive-1", "(", "typ"], "bad archive: expected tag 'type', got 'typ'"),
        (&["nix-archive-1", "(", "type", "fifo"], "bad archive: unknown file type 'fifo'"),
        (
            &["nix-archive-1", "(", "type", "regular", ")"],
            "bad archive: expected tag 'contents', got ')'",
        ),
        (&["nix-archive-1", "(", "type", "regular", "executable", "x"], "string is too long"),
        (
            &["nix-archive-1", "(", "type", "regular", "executable", "", "executable"],
            "bad archive: expected tag 'contents', got 'executable'",
        ),
        (
            &["nix-archive-1", "(", "type", "regular", "contents", "abc", "executable"],
            "bad archive: expected tag ')', got 'executable'",
        ),
        (
            &["nix-archive-1", "(", "type", "symlink", "target", "", ")"],
            "bad archive: NAR contains invalid symlink target",
        ),
        (
            &["nix-archive-1", "(", "type", "symlink", "target", "a\0", ")"],
            "bad archive: NAR contains invalid symlink target",
        ),
        (&["nix-archive-1", "(", "type", "symlink", "target", &long], "string is too long"),
        (
            &["nix-archive-1", "(", "type", "directory", "entri"],
            "bad archive: expected tag 'entry' or ')', got 'entri'",
        ),
        (
            &["nix-archive-1", "(", "type", "directory", "entry", "(", "node"],
            "bad archive: expected tag 'name', got 'node'",
        ),
        (
            &["nix-archive-1", "(", "type", "directory", "entry", "(", "name", "a", ")"],
            "bad archive: expected tag 'node', got ')'",
        ),
    ];
    for (texts, message) in cases {
        assert_eq!(read(&strings(texts)).unwrap_err().to_string(), message, "{texts:?}");
    }
}

#[test]
fn entries_must_be_named_well_and_in_order() {
    let entries = |names: &[&str]| {
        let mut texts = vec!["nix-archive-1", "(", "type", "directory"];
        for name in names {
            texts.extend(["entry", "(", "name", *name, "node"]);
            texts.extend(["(", "type", "regular", "contents", "", ")", ")"]);
        }
        texts.push(")");
        read(&strings(&texts))
    };
    assert!(entries(&["a", "a.", "aa", "b"]).is_ok());
    for unsorted in [["b", "a"], ["a", "a"], ["aa", "a."]] {
        let message = "bad archive: NAR directory is not sorted";
        assert_eq!(entries(&unsorted).unwrap_err().to_string(), message);
    }
    for name in ["", ".", "..", "a/b", "a\0b"] {
        let message = format!("bad archive: NAR contains invalid file name '{name}'");
        assert_eq!(entries(&[name]).unwrap_err().to_string(), message);
    }
    assert_eq!(entries(&["a".repeat(256).as_str()]).unwrap_err().to_string(), "string is too long");
}

#[test]
fn padding_must_be_zeros() {
    let mut bytes = nar(&file("abc"));
    let at = bytes.windows(3).position(|window| window == b"abc").unwrap();
    bytes[at + 5] = 1;
    assert_eq!(read(&bytes).unwrap_err().to_string(), "non-zero padding");
}

#[test]
fn no_size_is_believed_before_the_bytes_are_there() {
    let mut bytes = strings(&["nix-archive-1", "(", "type", "regular", "contents"]);
    bytes.extend_from_slice(&u64::MAX.to_le_bytes());
    bytes.extend_from_slice(b"abc");
    assert_eq!(read(&bytes).unwrap_err().to_string(), "unexpected end-of-file");
    let mut reader = NarReader::new(&bytes[..]);
    reader.next_event().unwrap();
    assert_eq!(reader.next_event().unwrap_err().to_string(), "unexpected end-of-file");
}

#[test]
fn every_cut_archive_is_refused() {
    let bytes = nar(&folder([
        (b"a", Tree::File(true, b"abc".to_vec())),
        (b"b", folder([(b"c", Tree::Link(b"a".to_vec()))])),
    ]));
    assert!(read(&bytes).is_ok());
    for len in 0..bytes.len() {
        assert!(read(&bytes[..len]).is_err(), "the first {len} bytes are taken for an archive");
    }
}
