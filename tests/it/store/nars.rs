//! Archives of real trees, against `nix-store --dump` and `--restore`, and against
//! `builtins.path`.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nixos_bootstrap::store::{
    CaMethod, ContentAddress, Hash, HashAlgo, HashFormat, NarNode, NarReader, NarSource,
    References, StoreError, hash_nar, write_nar,
};

use super::{Numbers, RealStore, bytes, texts};

/// The file system as a source of archives.
struct Files;

impl NarSource for Files {
    type Handle = PathBuf;
    type Contents<'a> = File;
    type Error = StoreError;

    fn open(&mut self, path: &PathBuf) -> Result<NarNode<PathBuf, File>, StoreError> {
        let metadata = path.symlink_metadata()?;
        if metadata.is_symlink() {
            return Ok(NarNode::Symlink {
                target: fs::read_link(path)?.into_os_string().into_vec(),
            });
        }
        if metadata.is_dir() {
            let entry = |entry: io::Result<fs::DirEntry>| {
                entry.map(|entry| (entry.file_name().into_vec(), entry.path()))
            };
            return Ok(NarNode::Directory {
                entries: fs::read_dir(path)?.map(entry).collect::<Result<_, _>>()?,
            });
        }
        Ok(NarNode::File {
            executable: metadata.permissions().mode() & 0o100 != 0,
            size: metadata.len(),
            contents: File::open(path)?,
        })
    }
}

/// Makes a tree with names and contents of all kinds.
fn make_tree(numbers: &mut Numbers, at: &Path, depth: usize) {
    match numbers.below(if depth == 0 { 1 } else { 8 }) {
        0 | 1 => {
            fs::create_dir(at).unwrap();
            for _ in 0..numbers.below(if depth > 3 { 3 } else { 9 }) {
                let name = name(numbers);
                let inner = at.join(OsStr::from_bytes(&name));
                if inner.symlink_metadata().is_err() {
                    make_tree(numbers, &inner, depth + 1);
                }
            }
        }
        2 => symlink(OsStr::from_bytes(&name(numbers)), at).unwrap(),
        3 => symlink("/no/where", at).unwrap(),
        kind => {
            let lens = [0, 1, 7, 8, 9, 100, 4096, 65_535, 65_536, 65_537, 200_003];
            let len = *numbers.one_of(&lens);
            let byte = u8::try_from(numbers.below(256)).unwrap();
            fs::write(at, vec![byte; len]).unwrap();
            let mode = [0o644, 0o755, 0o744, 0o611][kind % 4];
            fs::set_permissions(at, PermissionsExt::from_mode(mode)).unwrap();
        }
    }
}

fn name(numbers: &mut Numbers) -> Vec<u8> {
    let bytes = b"aaAB.-_~ \n\"'$\\\x01\x7f\x80\xc3\xa9\xff";
    let name: Vec<u8> = (0..=numbers.below(4)).map(|_| *numbers.one_of(bytes)).collect();
    if name.iter().all(|byte| *byte == b'.') { b"dots".to_vec() } else { name }
}

#[test]
fn trees_have_the_real_archives() {
    let real = RealStore::new();
    let temp = tempfile::tempdir().unwrap();
    for seed in 1..12 {
        let tree = temp.path().join(format!("tree{seed}"));
        make_tree(&mut Numbers(seed * 7919), &tree, 0);
        let dumped = real.run("nix-store", &["--dump", tree.to_str().unwrap()]).stdout;
        let mut ours = Vec::new();
        write_nar(&mut Files, &tree, &mut ours).unwrap();
        assert!(ours == dumped, "the archives of tree {seed} differ");
        read_all(&ours).unwrap();
    }
}

#[test]
fn sources_get_the_same_paths() {
    let real = RealStore::new();
    let store = real.dir();
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    fs::write(&file, "text\n").unwrap();
    let tree = temp.path().join("tree");
    make_tree(&mut Numbers(5), &tree, 0);

    let mut expression =
        "map (x: builtins.unsafeDiscardStringContext (builtins.path x)) [".to_owned();
    let mut expected = Vec::new();
    for (path, name) in [(&file, "file"), (&file, "other"), (&tree, "tree"), (&tree, "a.b+c")] {
        let (hash, _) = hash_nar(&mut Files, path, HashAlgo::Sha256).unwrap();
        let address = ContentAddress { method: CaMethod::Nar, hash };
        let sri = hash.to_text(HashFormat::Sri, true);
        let path = path.display();
        for hash in [String::new(), format!("sha256 = \"{sri}\";")] {
            write!(expression, "{{ path = {path}; name = \"{name}\"; {hash} }}").unwrap();
            expected.push(store.ca_path(name.as_bytes(), &address, References::NONE).unwrap());
        }
    }
    write!(expression, "{{ path = {}; recursive = false; }}", file.display()).unwrap();
    let hash = Hash::of(HashAlgo::Sha256, b"text\n");
    let address = ContentAddress { method: CaMethod::Flat, hash };
    expected.push(store.ca_path(b"file", &address, References::NONE).unwrap());

    let theirs = real.eval((expression + "]").as_bytes()).unwrap();
    let expected: Vec<_> = expected.iter().map(|path| store.to_absolute(path)).collect();
    assert_eq!(texts(&theirs).iter().map(|text| text.as_bytes()).collect::<Vec<_>>(), expected);
}

#[test]
fn changed_archives_are_read_or_refused_alike() {
    let real = RealStore::new();
    let temp = tempfile::tempdir().unwrap();
    let tree = temp.path().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("a"), "abc").unwrap();
    fs::create_dir(tree.join("b")).unwrap();
    symlink("a", tree.join("b/link")).unwrap();
    fs::write(tree.join("b/run"), "12345678").unwrap();
    fs::set_permissions(tree.join("b/run"), PermissionsExt::from_mode(0o755)).unwrap();
    let mut whole = Vec::new();
    write_nar(&mut Files, &tree, &mut whole).unwrap();

    let mut numbers = Numbers(6);
    let mut taken = 0;
    for round in 0..100 {
        let mut changed = whole.clone();
        let at = numbers.below(changed.len());
        match numbers.below(5) {
            // Within a name, a target or a content.
            4 => {
                let text = *numbers.one_of(&[b"abc".as_slice(), b"link", b"run", b"12345678"]);
                let found = whole.windows(text.len()).position(|window| window == text).unwrap();
                changed[found + numbers.below(text.len())] = *numbers.one_of(b"aaz9 \xff./\x00");
            }
            0 => changed[at] ^= 1 << numbers.below(8),
            1 => changed[at] = *numbers.one_of(b"\x00()./aeb\xff"),
            2 => changed.truncate(at),
            // A whole word less.
            _ => _ = changed.drain(at / 8 * 8..at / 8 * 8 + 8),
        }
        let to = temp.path().join(format!("restored{round}"));
        let is_real = restore(&real, &to, &changed);
        let ours = read_all(&changed);
        assert_eq!(ours.is_ok(), is_real, "round {round}: {ours:?}");
        if is_real {
            taken += 1;
            let end = ours.unwrap();
            let mut again = Vec::new();
            write_nar(&mut Files, &to, &mut again).unwrap();
            assert!(again == changed[..end], "round {round}: another archive comes back");
        }
    }
    assert!((5..95).contains(&taken), "{taken} of 100 were taken");
}

fn restore(real: &RealStore, to: &Path, nar: &[u8]) -> bool {
    let mut child = real
        .command("nix-store")
        .arg("--restore")
        .arg(OsStr::from_bytes(bytes(to)))
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("these tests need the real nix: scripts/test puts it on PATH");
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(nar);
    child.wait().unwrap().success()
}

/// Reads a whole archive and tells where it ends.
fn read_all(nar: &[u8]) -> Result<usize, StoreError> {
    let mut reader = NarReader::new(nar);
    while reader.next_event()?.is_some() {}
    Ok(nar.len() - reader.into_inner().len())
}
