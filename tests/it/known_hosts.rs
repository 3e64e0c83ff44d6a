//! Editing `known_hosts`, compared with the real ssh-keygen on generated files.

use std::fs;
use std::path::Path;
use std::process::Command;

use nixos_bootstrap::remote::{HostPublicKey, known_hosts};
use nixos_bootstrap::secrets::HostKeyPair;
use rand_core::{OsRng, RngCore};

/// A generator whose seed is shown when a test fails.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = OsRng.next_u64() | 1;
        println!("seed {seed}");
        Self(seed)
    }

    /// xorshift64*: any fair enough numbers will do.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap() % limit
    }

    fn one_of<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }
}

const NAMES: [&str; 8] = [
    "grief",
    "grief.lan",
    "xgrief",
    "10.0.0.1",
    "[grief]:2222",
    "[10.0.0.1]:22",
    "2001:db8::1",
    "g",
];

fn keygen(args: &[&str], file: &Path) -> String {
    let mut command = Command::new("ssh-keygen");
    let output = command.args(args).arg("-f").arg(file).output();
    let output = output.expect("this test needs ssh-keygen: install openssh-client");
    String::from_utf8(output.stdout).unwrap()
}

fn keys() -> Vec<String> {
    let pair = |_| HostKeyPair::generate("").unwrap().public().trim().to_owned();
    (0..3).map(pair).collect()
}

/// The line with its names hashed by ssh-keygen: a line each.
fn hashed(line: &str, dir: &Path) -> String {
    let file = dir.join("to-hash");
    fs::write(&file, line).unwrap();
    keygen(&["-H"], &file);
    fs::remove_file(dir.join("to-hash.old")).unwrap();
    fs::read_to_string(&file).unwrap()
}

/// A line about one name.
fn simple_line(random: &mut Random, keys: &[String], dir: &Path) -> String {
    let (name, key) = (random.one_of(&NAMES), &keys[random.below(keys.len())]);
    match random.below(8) {
        0 => "# a comment about grief\n".to_owned(),
        1 => "\n".to_owned(),
        2 => hashed(&format!("{name} {key}\n"), dir),
        3 => format!("{}\t{key} a comment\n", name.to_uppercase()),
        4 => format!("@cert-authority {name} {key}\n"),
        // Where a pattern matches, ssh-keygen takes the line away, which is somebody's own rule.
        5 => format!("*.example,!{name} {key}\n"),
        _ => format!("{name} {key}\n"),
    }
}

#[test]
fn removing_is_what_ssh_keygen_does_where_lines_have_one_name() {
    let (mut random, keys) = (Random::new(), keys());
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..12 {
        let lines = 1 + random.below(10);
        let content: String =
            (0..lines).map(|_| simple_line(&mut random, &keys, dir.path())).collect();
        let file = dir.path().join("known_hosts");
        for name in NAMES {
            fs::write(&file, &content).unwrap();
            keygen(&["-R", name], &file);
            let expected = fs::read_to_string(&file).unwrap();
            let ours = known_hosts::edit(content.as_bytes(), &[name.to_owned()], &[]);
            assert_eq!(String::from_utf8(ours).unwrap(), expected, "{name} in:\n{content}");
        }
    }
}

/// What ssh-keygen finds, without line numbers.
fn found(name: &str, file: &Path) -> Vec<String> {
    let lines = keygen(&["-F", name], file);
    let mut lines: Vec<String> = lines
        .lines()
        .filter(|line| !line.starts_with('#'))
        // The name may be shown as hashed or within another list; what counts is the key.
        .map(|line| line.split_whitespace().filter(|word| word.starts_with("AAAA")).collect())
        .collect();
    lines.sort();
    lines
}

/// A line of several names, patterns among them, perhaps without its newline, perhaps for DOS.
fn list_line(random: &mut Random, keys: &[String]) -> String {
    let count = 1 + random.below(4);
    let names: Vec<&str> = (0..count).map(|_| random.one_of(&NAMES)).collect();
    let newline = random.one_of(&["\n", "\n", "\r\n"]);
    format!("{} {}{newline}", names.join(","), keys[random.below(keys.len())])
}

#[test]
fn other_names_keep_their_keys_and_the_name_gets_its_new_one() {
    let (mut random, keys) = (Random::new(), keys());
    let new: HostPublicKey = HostKeyPair::generate("").unwrap().public().parse().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (before, after) = (dir.path().join("before"), dir.path().join("after"));
    for _ in 0..12 {
        let lines = random.below(8);
        let mut content: String = (0..lines).map(|_| list_line(&mut random, &keys)).collect();
        if random.below(2) == 0 {
            content.truncate(content.trim_end_matches('\n').len());
        }
        fs::write(&before, &content).unwrap();
        let name = random.one_of(&NAMES).to_owned();
        let names = [name.clone()];
        let edited = known_hosts::edit(content.as_bytes(), &names, std::slice::from_ref(&new));
        fs::write(&after, &edited).unwrap();
        for other in NAMES.iter().filter(|other| **other != name) {
            assert_eq!(found(other, &after), found(other, &before), "{other} in:\n{content}");
        }
        assert_eq!(found(&name, &after), [new.base64()], "{name} in:\n{content}");
        assert_eq!(known_hosts::find(&edited, &names), std::slice::from_ref(&new));
        let again = known_hosts::edit(&edited, &names, std::slice::from_ref(&new));
        assert_eq!(again, edited, "a second run changes no byte");
    }
}

#[test]
fn hashed_entries_of_a_name_are_found_as_ssh_keygen_finds_them() {
    let dir = tempfile::tempdir().unwrap();
    let key = &keys()[0];
    for name in NAMES {
        let line = hashed(&format!("{name} {key}\n"), dir.path());
        assert!(line.starts_with("|1|"), "{line}");
        let names = [name.to_owned()];
        assert_eq!(known_hosts::find(line.as_bytes(), &names).len(), 1, "{name}");
        assert_eq!(known_hosts::edit(line.as_bytes(), &names, &[]), b"");
        assert_eq!(known_hosts::find(line.as_bytes(), &["other".to_owned()]).len(), 0);
    }
}
