//! Hashes and their texts, against `builtins.hashString` and `builtins.convertHash`.

use std::fmt::Write as _;

use nixos_bootstrap::store::{Hash, HashAlgo, HashFormat};

use super::{Numbers, RealStore, texts};

const FORMATS: [(HashFormat, &str); 4] = [
    (HashFormat::Base16, "base16"),
    (HashFormat::Nix32, "nix32"),
    (HashFormat::Base64, "base64"),
    (HashFormat::Sri, "sri"),
];

#[test]
fn strings_hash_to_the_same() {
    let mut numbers = Numbers(1);
    let mut expression = "[".to_owned();
    let mut expected = Vec::new();
    for len in (0..260).chain([1000, 4095, 4096, 20_000]) {
        let text: String =
            (0..len).map(|_| char::from(b'a' + u8::try_from(numbers.below(26)).unwrap())).collect();
        let algo = *numbers.one_of(&HashAlgo::ALL);
        write!(expression, "(builtins.hashString \"{algo}\" \"{text}\")").unwrap();
        expected.push(Hash::of(algo, text.as_bytes()).to_text(HashFormat::Base16, false));
    }
    let real = RealStore::new().eval((expression + "]").as_bytes()).unwrap();
    assert_eq!(texts(&real), expected);
}

#[test]
fn every_format_converts_to_every_format() {
    let mut expression = "map builtins.convertHash [".to_owned();
    let mut expected = Vec::new();
    for algo in HashAlgo::ALL {
        for seed in 0..8_u8 {
            let hash = Hash::of(algo, &[seed]);
            for (from, _) in FORMATS {
                for with_algo in [true, false] {
                    let text = hash.to_text(from, with_algo);
                    assert_eq!(Hash::parse(text.as_bytes(), Some(algo)).unwrap(), hash);
                    for (to, name) in FORMATS {
                        write!(
                            expression,
                            "{{ hash = \"{text}\"; hashAlgo = \"{algo}\"; toHashFormat = \"{name}\"; }}"
                        )
                        .unwrap();
                        expected.push(hash.to_text(to, false));
                    }
                }
            }
        }
    }
    let real = RealStore::new().eval((expression + "]").as_bytes()).unwrap();
    assert_eq!(texts(&real), expected);
}

/// A hash with something wrong, mostly.
fn changed(numbers: &mut Numbers) -> (String, Option<HashAlgo>) {
    let algo = *numbers.one_of(&HashAlgo::ALL);
    let (format, _) = *numbers.one_of(&FORMATS);
    let mut text = Hash::of(algo, b"x").to_text(format, numbers.is_one_in(2));
    let at = numbers.below(text.len());
    match numbers.below(5) {
        0 => _ = text.remove(at),
        1 => text.insert(at, *numbers.one_of(&['0', 'z', 'Z', '=', ':', '-'])),
        2 => text.truncate(at),
        3 => text.retain(|c| c != '='),
        _ => {
            let other = *numbers.one_of(&['!', 'u', 'A', '_']);
            text = text.char_indices().map(|(i, c)| if i == at { other } else { c }).collect();
        }
    }
    (text, [Some(algo), None, Some(HashAlgo::Sha256)][numbers.below(3)])
}

#[test]
fn changed_hashes_are_read_or_refused_alike() {
    let real = RealStore::new();
    let mut numbers = Numbers(2);
    let mut refused = 0;
    for _ in 0..60 {
        let (text, algo) = changed(&mut numbers);
        let named = algo.map_or_else(String::new, |algo| format!("hashAlgo = \"{algo}\";"));
        let expression = format!(
            "builtins.convertHash {{ hash = \"{text}\"; {named} toHashFormat = \"sri\"; }}"
        );
        let ours = Hash::parse(text.as_bytes(), algo);
        let theirs = real.eval(expression.as_bytes());
        match (ours, theirs) {
            (Ok(hash), Ok(real)) => assert_eq!(hash.to_text(HashFormat::Sri, true), real),
            (Err(error), Err(real)) => {
                refused += 1;
                assert!(real.contains(&error.to_string()), "{text}: {error}, but nix: {real}");
            }
            (ours, theirs) => panic!("{text} ({algo:?}): {ours:?}, but nix: {theirs:?}"),
        }
    }
    assert!((20..60).contains(&refused), "{refused} of 60 were refused");
}
