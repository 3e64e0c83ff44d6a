//! The worker protocol against a store whose answers are written down before. Against a real one: `tests/it`.

use std::io::{self, Write};

use crate::store::worker::{NewObject, Worker, WorkerError};
use crate::store::{
    CaMethod, ContentAddress, Hash, HashAlgo, HashFormat, StoreDir, StorePath, around_file,
    hash_nar, sha256,
};

const LAST: u64 = 0x616c_7473;
const ERROR: u64 = 0x6378_7470;

/// What a store says: numbers and strings.
#[derive(Default, Clone)]
struct Said(Vec<u8>);

impl Said {
    /// A greeting of that version.
    fn hello(version: u64) -> Self {
        let said = Self::default().number(0x6478_696f).number(version);
        let said = if version % 256 >= 33 { said.text("2.34.8") } else { said };
        let said = if version % 256 >= 35 { said.number(1) } else { said };
        said.number(LAST)
    }

    fn number(mut self, number: u64) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn text(self, text: &str) -> Self {
        let mut said = self.number(text.len() as u64);
        said.0.extend(text.as_bytes());
        said.0.resize(said.0.len().next_multiple_of(8), 0);
        said
    }

    fn error(self, message: &str) -> Self {
        let said = self.number(ERROR).text("Error").number(0).text("Error").text(message);
        said.number(0).number(1).number(0).text("a step")
    }
}

type Connected<'s> = Result<Worker<&'s [u8], Vec<u8>>, WorkerError>;

fn connect(said: &Said) -> Connected<'_> {
    Worker::connect(&said.0, Vec::new(), StoreDir::default())
}

fn path(name: &str) -> StorePath {
    StorePath::from_digest([3; 20], name.as_bytes()).unwrap()
}

fn absolute(name: &str) -> String {
    format!("/nix/store/{}", path(name))
}

#[test]
fn versions_that_are_not_known_are_told() {
    for version in [256 + 32, 256 + 35, 256 + 38, 256 + 99] {
        let said = Said::hello(version);
        let worker = connect(&said).unwrap();
        assert_eq!(worker.nix_version(), if version % 256 > 32 { "2.34.8" } else { "" });
    }
    for version in [256 + 31, 10, 512, 512 + 40, u64::MAX] {
        let said = Said::hello(version);
        let error = connect(&said).unwrap_err();
        assert!(matches!(error, WorkerError::Version { .. }), "{version:x}: {error}");
    }
    let said = Said::hello(512 + 1);
    let error = connect(&said).unwrap_err().to_string();
    assert!(error.contains("version 2.1"), "{error}");
}

#[test]
fn what_is_no_store_is_told() {
    let foreign = Said(b"Welcome to the shell!\n\n\n".to_vec());
    assert!(matches!(connect(&foreign), Err(WorkerError::Foreign)));
    let hello = Said::hello(256 + 38);
    for cut in 0..hello.0.len() {
        let said = Said(hello.0[..cut].to_vec());
        assert!(matches!(connect(&said), Err(WorkerError::Ended)), "cut at {cut}");
    }
    // A store that could not be opened.
    let said = Said::default().number(0x6478_696f).number(256 + 38).text("2.34.8").number(0);
    let said = said.error("database is locked");
    let error = connect(&said).unwrap_err();
    assert!(matches!(&error, WorkerError::Store(text) if text == "database is locked"), "{error}");
}

#[test]
fn valid_paths_are_asked_for_in_one_go() {
    let said = Said::hello(256 + 35).number(LAST).number(1).text(&absolute("b"));
    let mut worker = connect(&said).unwrap();
    let valid = worker.valid_paths([&path("a"), &path("b")]).unwrap();
    assert_eq!(valid.into_iter().collect::<Vec<_>>(), [path("b")]);
}

#[test]
fn references_are_those_of_valid_paths() {
    let said = Said::hello(256 + 35).number(LAST).number(1).text("").text("hash");
    let said = said.number(1).text(&absolute("r")).number(5).number(6).number(0);
    let said = said.number(1).text("sig").text("text:sha256:…").number(LAST).number(0);
    let mut worker = connect(&said).unwrap();
    let references = worker.references(&path("a")).unwrap().unwrap();
    assert_eq!(references.into_iter().collect::<Vec<_>>(), [path("r")]);
    assert_eq!(worker.references(&path("b")).unwrap(), None);
}

#[test]
fn what_a_store_tells_meanwhile_is_passed_over_or_kept() {
    let said = Said::hello(256 + 35)
        // An activity: number, level, kind, text, fields, parent.
        .number(0x5354_5254)
        .number(1)
        .number(3)
        .number(0)
        .text("copying")
        .number(2)
        .number(0)
        .number(7)
        .number(1)
        .text("f")
        .number(0)
        .number(0x5253_4c54)
        .number(1)
        .number(101)
        .number(1)
        .number(1)
        .text("line")
        .number(0x5354_4f50)
        .number(1)
        .number(0x6f6c_6d67)
        .text("warning: low on space\n")
        .number(LAST)
        .number(1);
    let mut worker = connect(&said).unwrap();
    worker.keep(&path("a")).unwrap();
    assert_eq!(worker.remarks(), ["warning: low on space"]);
    assert_eq!(worker.remarks(), [""; 0]);
}

#[test]
fn answers_that_make_no_sense_are_told() {
    for odd in [
        Said::default().number(7),
        Said::default().number(0x6f6c_6d67).number(u64::MAX),
        Said::default().number(0x5253_4c54).number(1).number(1).number(1).number(9),
        Said::default().number(LAST).number(1).text("/elsewhere"),
    ] {
        let said = Said([Said::hello(256 + 35).0, odd.0].concat());
        let error = connect(&said).unwrap().valid_paths([&path("a")]).unwrap_err();
        assert!(matches!(error, WorkerError::Odd(_)), "{error}");
    }
}

/// Takes what a client writes, up to a limit.
struct Taken<'t> {
    bytes: &'t mut Vec<u8>,
    limit: usize,
}

impl Write for Taken<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() >= self.limit {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Adds texts to a store that answers `answer` and takes no more than `limit` bytes.
fn add(answer: &Said, texts: &[&[u8]], limit: usize) -> (Result<(), WorkerError>, Vec<u8>) {
    let said = Said([Said::hello(256 + 35).0, answer.0.clone()].concat());
    let mut bytes = Vec::new();
    let output = Taken { bytes: &mut bytes, limit };
    let mut worker = Worker::connect(&said.0[..], output, StoreDir::default()).unwrap();
    let added = worker.add(texts.len() as u64, |adding| {
        for text in texts {
            let (before, behind) = around_file(text.len() as u64);
            let address = ContentAddress { method: CaMethod::Text, hash: sha256(text).into() };
            let nar = [&before, *text, &behind].concat();
            let (new, old) = (path("new"), path("old"));
            let object = NewObject {
                path: &new,
                address: &address,
                references: vec![&old],
                nar_hash: sha256(&nar),
                nar_size: nar.len() as u64,
            };
            adding.object(&object)?;
            adding.write_all(&nar)?;
        }
        Ok(())
    });
    (added, bytes)
}

/// The frames of a request put together.
fn unframed(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap();
        whole.extend_from_slice(&rest[..length]);
        bytes = &rest[length..];
        if length == 0 {
            assert!(bytes.is_empty(), "the empty frame is the last one");
        }
    }
    whole
}

#[test]
fn objects_are_sent_as_nix_reads_them() {
    let large = vec![b'x'; 200_000];
    let texts: [&[u8]; 2] = [b"hello", &large];
    let (added, bytes) = add(&Said::default().number(LAST), &texts, usize::MAX);
    added.unwrap();
    // Hello, then: the request, no repair, trust nobody.
    let head = Said::default().number(44).number(0).number(0).0;
    assert_eq!(bytes[32..56], head);
    let mut expected = Said::default().number(2);
    for text in texts {
        let (before, behind) = around_file(text.len() as u64);
        let nar = [&before, text, &behind].concat();
        let hash = data_encoding::HEXLOWER.encode(&sha256(&nar));
        let address = ContentAddress { method: CaMethod::Text, hash: sha256(text).into() };
        expected = expected.text(&absolute("new")).text("").text(&hash);
        expected = expected.number(1).text(&absolute("old")).number(0).number(nar.len() as u64);
        expected = expected.number(0).number(0).text(&address.to_text());
        expected.0.extend_from_slice(&nar);
    }
    assert!(unframed(&bytes[56..]) == expected.0);
}

#[test]
fn a_refusal_ends_the_sending() {
    let refusal = Said::default().error("disk full");
    let large = vec![b'x'; 1 << 20];
    for limit in [usize::MAX, 100_000] {
        let texts: Vec<&[u8]> = vec![&large; 20];
        let (added, bytes) = add(&refusal, &texts, limit);
        let error = added.unwrap_err();
        assert!(matches!(&error, WorkerError::Store(text) if text == "disk full"), "{error}");
        assert!(bytes.len() <= 20 << 20);
    }
    // A store that is gone says nothing.
    let (added, _) = add(&Said::default(), &[&large], 100_000);
    assert!(matches!(added, Err(WorkerError::Ended)));
}

#[test]
fn a_failure_of_the_feeder_is_told_and_not_what_comes_of_it() {
    #[derive(Debug)]
    enum Mine {
        Gone,
        Store,
    }
    impl From<WorkerError> for Mine {
        fn from(_: WorkerError) -> Self {
            Self::Store
        }
    }
    let said = Said::hello(256 + 35).error("unexpected end-of-file");
    let mut worker = connect(&said).unwrap();
    let added = worker.add(3, |_| Err(Mine::Gone));
    assert!(matches!(added, Err(Mine::Gone)), "{added:?}");
}

#[test]
fn files_are_framed_as_archives() {
    struct One(Vec<u8>);
    impl crate::store::NarSource for One {
        type Handle = ();
        type Contents<'c> = &'c [u8];
        type Error = crate::store::StoreError;
        fn open(
            &mut self,
            (): &(),
        ) -> Result<crate::store::NarNode<(), &[u8]>, crate::store::StoreError> {
            let (executable, size) = (false, self.0.len() as u64);
            Ok(crate::store::NarNode::File { executable, size, contents: &self.0 })
        }
    }
    for size in [0, 1, 7, 8, 9] {
        let text = vec![b'x'; size];
        let (before, behind) = around_file(size as u64);
        let nar = [before, text.clone(), behind].concat();
        let (hash, length) = hash_nar(&mut One(text), &(), HashAlgo::Sha256).unwrap();
        assert_eq!((hash, length), (sha256(&nar).into(), nar.len() as u64));
    }
}

#[test]
fn addresses_are_registered_as_nix_writes_them() {
    let hash = Hash::from(sha256(b"x"));
    let text = |method| ContentAddress { method, hash }.to_text();
    // From `nix-store --add`, `--add-fixed` and `toFile` of C++ Nix 2.34.8, by way of its database.
    let base32 = "10a83a91g1r50bdw8g4hn47m7j7m6angpabwc80l9c16nx11cw9d";
    assert_eq!(hash.to_text(HashFormat::Nix32, false), base32);
    assert_eq!(text(CaMethod::Text), format!("text:sha256:{base32}"));
    assert_eq!(text(CaMethod::Nar), format!("fixed:r:sha256:{base32}"));
    assert_eq!(text(CaMethod::Flat), format!("fixed:sha256:{base32}"));
}
