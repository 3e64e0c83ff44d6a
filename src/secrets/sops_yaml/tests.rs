use std::fmt::Write;

use super::*;

const OLD: &str = "age17044m9wgakla6pzftf4srtl3h5mcsr85jysgt5fg23zpnta8sfdqhzn452";
const TA: &str = "age1hjm3aujg9e79f5yth8a2cejzdjg5n9vnu96l05p70uvfpeltnpms7yy3pp";
const NEW: &str = "age1v8zjc47jmlqwefyu66s0d4ke98qr4vnuj3cpvs4z9npfdw833dxqwjrhzv";

fn wish(name: &str, rules: &[usize]) -> Wish {
    Wish {
        name: name.to_owned(),
        recipient: NEW.parse().unwrap(),
        kind: Kind::Host,
        rules: rules.to_vec(),
        own: Vec::new(),
    }
}

fn filled(text: &str) -> String {
    text.replace("TA", TA).replace("OLD", OLD).replace("NEW", NEW)
}

/// Sets a key in `before` and expects `after`, in which `TA`, `OLD` and `NEW` stand for recipients;
/// with every line ending, with and without the last one; and nothing changes a second time.
fn sets(wish: &Wish, before: &str, after: &str) {
    let (before, after) = (filled(before), filled(after));
    let cases = [
        (before.clone(), after.clone()),
        (before.replace('\n', "\r\n"), after.replace('\n', "\r\n")),
        (before.trim_end_matches('\n').to_owned(), after.trim_end_matches('\n').to_owned()),
    ];
    for (before, after) in cases {
        let edited = SopsYaml::parse(&before).unwrap().set(wish);
        let edited = edited.unwrap_or_else(|error| panic!("{error}\n{before}"));
        assert_eq!(edited.text, after, "from:\n{before}");
        let again = SopsYaml::parse(&edited.text).unwrap().set(wish).unwrap();
        assert_eq!(again.text, edited.text, "a second run");
        assert_eq!(again.said, Vec::<String>::new());
    }
}

const HEADINGS: &str = "\
# Keys of people, then of machines.
keys:
  - &users: # who
    - &ta TA # laptop

  - &hosts:
    - &griefsmall OLD
    # the last machine
    - &guppy age1hjm3aujg9e79f5yth8a2cejzdjg5n9vnu96l05p70uvfpeltnpms7yy3pp # a comment

creation_rules:
  # shared
  - path_regex: secrets\\.yaml$
    key_groups:
    - age:
      - *ta
      - *guppy   # tank
  - path_regex: other/.*
    key_groups:
    - age: [ *ta, *guppy ]
      pgp: ['0xABC']
";

#[test]
fn a_new_host_goes_to_the_end_of_its_pseudo_heading_and_of_its_rules() {
    let after = HEADINGS
        .replace("# a comment\n", "# a comment\n    - &grief NEW\n")
        .replace("# tank\n", "# tank\n      - *grief\n")
        .replace("*guppy ]", "*guppy, *grief ]");
    sets(&wish("grief", &[1, 2]), HEADINGS, &after);
}

#[test]
fn without_rules_only_the_keys_change() {
    let after = HEADINGS.replace("# a comment\n", "# a comment\n    - &grief NEW\n");
    sets(&wish("grief", &[]), HEADINGS, &after);
}

#[test]
fn an_existing_host_is_replaced_where_it_stands_whole_names_only() {
    let before = HEADINGS.replace("&guppy age1hjm3", "&grief OLD\n    - &guppy age1hjm3");
    sets(&wish("grief", &[]), &before, &before.replace("&grief OLD", "&grief NEW"));
    let quoted = "keys:\n  - &grief 'OLD' # x\ncreation_rules: [{age: *grief}]\n";
    sets(&wish("grief", &[1]), quoted, &quoted.replace("OLD", "NEW"));
}

#[test]
fn sections_may_be_a_map_in_block_or_flow() {
    let before = "\
keys:
    users: [ &ta TA ]
    hosts: [&guppy OLD]  # flow
creation_rules:
    - path_regex: .*
      age: *ta
";
    let after =
        before.replace("OLD]", "OLD, &grief NEW]").replace("age: *ta", "age: [*ta, *grief]");
    sets(&wish("grief", &[1]), before, &after);
    let before = "keys:\n  users:\n    - &ta TA\n  hosts:   # none yet\ncreation_rules: []\n";
    let after = before.replace("yet\n", "yet\n    - &grief NEW\n");
    sets(&wish("grief", &[]), before, &after);
    let before = "keys:\n  users:\n  - &ta TA\ncreation_rules: []\n";
    let after = before.replace("TA\n", "TA\n  hosts:\n  - &grief NEW\n");
    sets(&wish("grief", &[]), before, &after);
}

#[test]
fn an_empty_or_missing_pseudo_heading_is_filled_or_made() {
    let before = "keys:\n  - &users:\n    - &ta TA\n  - &hosts:\nx: y\n";
    sets(&wish("grief", &[]), before, &before.replace("&hosts:\n", "&hosts:\n    - &grief NEW\n"));
    let before = "keys:\n  - &users:\n      - &ta TA\n# end\nx: y\n";
    let after = before.replace("&ta TA\n", "&ta TA\n  - &hosts:\n      - &grief NEW\n");
    sets(&wish("grief", &[]), before, &after);
}

#[test]
fn a_heading_without_its_colon_is_a_heading() {
    let before = "keys:\n  - &hosts\n    - &guppy OLD\ncreation_rules:\n";
    sets(&wish("grief", &[]), before, &before.replace("OLD\n", "OLD\n    - &grief NEW\n"));
}

#[test]
fn a_flat_list_grows_at_its_end() {
    let before = "keys:\n- &ta TA\n-   &guppy OLD # c\n\ncreation_rules:\n- age:\n  - *ta\n";
    let after = before
        .replace("# c\n", "# c\n-   &grief NEW\n")
        .replace("  - *ta\n", "  - *ta\n  - *grief\n");
    sets(&wish("grief", &[1]), before, &after);
}

#[test]
fn a_user_goes_to_the_users() {
    let wish = Wish { kind: Kind::User, ..wish("ta_grief", &[1]) };
    let after = HEADINGS
        .replace("# laptop\n", "# laptop\n    - &ta_grief NEW\n")
        .replace("# tank\n", "# tank\n      - *ta_grief\n");
    sets(&wish, HEADINGS, &after);
}

#[test]
fn recipients_in_the_rules_themselves_are_named_by_their_comments() {
    let before = "\
creation_rules:
  - path_regex: a
    age: >-
      TA,
      OLD
  - path_regex: b
    age: 'TA,OLD'
  - path_regex: c
    key_groups:
      - age:
          - TA # ta
          - OLD # grief
  - path_regex: d
    key_groups:
      - age:
          - TA # ta
  - path_regex: e
    age: TA, OLD
";
    // Where a comment names it, it is known; then the same text is known everywhere.
    sets(&wish("grief", &[4]), before, &{
        let after = before.replace("OLD", "NEW");
        after.replace(
            "          - TA # ta\n  - path_regex: e",
            "          - TA # ta\n          - NEW # grief\n  - path_regex: e",
        )
    });
    let after = before
        .replace("OLD\n  - path_regex: b", "OLD,\n      NEW\n  - path_regex: b")
        .replace("'TA,OLD'", "'TA,OLD,NEW'")
        .replace("age: TA, OLD", "age: TA, OLD, NEW");
    sets(&wish("gusto", &[1, 2, 5]), before, &after);
}

#[test]
fn lists_over_several_lines_keep_their_form() {
    let before = "\
keys: [
  &ta TA, # one
  &guppy OLD # two
]
creation_rules:
  - key_groups:
      - age: [
          *ta,
          *guppy,
        ]
";
    let after = before
        .replace("OLD # two\n", "OLD, # two\n  &grief NEW\n")
        .replace("*guppy,\n", "*guppy,\n          *grief,\n");
    sets(&wish("grief", &[1]), before, &after);
}

#[test]
fn a_rule_without_age_gets_it_and_other_kinds_stay() {
    let before = "\
keys:
  - &ta TA
creation_rules:
  - path_regex: a
    pgp: ABC
  - path_regex: b
    key_groups:
      - pgp:
          - ABC
        kms:
          - arn: x # c
  - {path_regex: c, pgp: ABC}
  - path_regex: d
  - path_regex: e
    key_groups:
      - age:
        pgp: [ABC]
";
    let after = before
        .replace("TA\n", "TA\n  - &grief NEW\n")
        .replace("pgp: ABC\n", "pgp: ABC\n    age: *grief\n")
        .replace("x # c\n", "x # c\n        age:\n          - *grief\n")
        .replace("pgp: ABC}", "pgp: ABC, age: *grief}")
        .replace("path_regex: d\n", "path_regex: d\n    age: *grief\n")
        .replace("- age:\n        pgp", "- age:\n          - *grief\n        pgp");
    sets(&wish("grief", &[1, 2, 3, 4, 5]), before, &after);
}

#[test]
fn an_empty_document_gets_keys() {
    let edited = SopsYaml::parse("").unwrap().set(&wish("grief", &[])).unwrap().text;
    assert_eq!(edited, filled("keys:\n  - &grief NEW\n"));
    let before = "# only this\nstores: {}\n";
    let edited = SopsYaml::parse(before).unwrap().set(&wish("grief", &[])).unwrap().text;
    assert_eq!(edited, filled("# only this\nkeys:\n  - &grief NEW\nstores: {}\n"));
}

#[test]
fn a_file_of_the_host_alone_gets_a_rule_before_the_one_that_shadows_it() {
    let mut wish = wish("grief", &[1]);
    wish.own = vec!["hosts/grief/secrets.yaml".to_owned()];
    let after = HEADINGS
        .replace("# a comment\n", "# a comment\n    - &grief NEW\n")
        .replace("# tank\n", "# tank\n      - *grief\n")
        .replace(
            "  # shared\n",
            "  - path_regex: ^hosts/grief/secrets\\.yaml$\n    key_groups:\n    - age:\n      - *ta\n      - *grief\n  # shared\n",
        );
    let before = filled(HEADINGS);
    let edited = SopsYaml::parse(&before).unwrap().set(&wish).unwrap();
    assert_eq!(edited.text, filled(&after));
    // Now the numbers are others: the new rule is the first.
    let wish = Wish { rules: vec![2], ..wish };
    let again = SopsYaml::parse(&edited.text).unwrap().set(&wish).unwrap();
    assert_eq!(again.text, edited.text);
    let nobody = SopsYaml::parse("keys: []\ncreation_rules: [{path_regex: x, age: a}]\n").unwrap();
    assert!(matches!(
        nobody.set(&wish),
        Err(EditError::NobodyElse { .. } | EditError::NoRule { .. })
    ));
}

#[test]
fn shamir_and_shared_lists_are_the_user_s() {
    let split = "keys:\n- &ta TA\ncreation_rules:\n- key_groups:\n  - age: [*ta]\n  - age: [OLD]\n";
    let set = |text: &str| SopsYaml::parse(&filled(text)).unwrap().set(&wish("grief", &[1]));
    assert!(matches!(set(split), Err(EditError::Shamir { rule: 1, groups: 2, needed: 2 })));
    let one = set(&split.replace("- key_groups", "- shamir_threshold: 1\n  key_groups")).unwrap();
    assert!(one.text.contains("- age: [*ta, *grief]"), "{}", one.text);
    let shared = "x: &g [{age: [TA]}]\ncreation_rules:\n- key_groups: *g\n- key_groups: *g\n";
    let error = set(shared).unwrap_err();
    assert_eq!(error, EditError::Shared { rule: 1 });
    let twice = "creation_rules:\n- &r {path_regex: a, age: TA}\n- *r\n";
    let document = SopsYaml::parse(&filled(twice)).unwrap();
    let error = document.set(&wish("grief", &[2])).unwrap_err();
    assert_eq!(error, EditError::Shared { rule: 2 });
}

#[test]
fn removing_takes_the_aliases_then_the_key() {
    let before = filled(HEADINGS);
    let removed = SopsYaml::parse(&before).unwrap().remove(&["guppy".to_owned()]).unwrap();
    let after = HEADINGS
        .replace(&format!("    - &guppy {TA} # a comment\n"), "")
        .replace("      - *guppy   # tank\n", "")
        .replace(", *guppy ]", " ]");
    assert_eq!(removed.text, filled(&after));
    // What was added goes again, byte for byte.
    for text in [before.clone(), before.replace('\n', "\r\n")] {
        let with = SopsYaml::parse(&text).unwrap().set(&wish("grief", &[1, 2])).unwrap().text;
        let without = SopsYaml::parse(&with).unwrap().remove(&["grief".to_owned()]).unwrap();
        assert_eq!(without.text, text);
    }
    let parts = filled("creation_rules:\n- age: TA, OLD,NEW # c\n- age: OLD,TA\n");
    let removed = SopsYaml::parse(&parts).unwrap().remove(&[OLD.to_owned(), NEW.to_owned()]);
    assert_eq!(removed.unwrap().text, filled("creation_rules:\n- age: TA # c\n- age: TA\n"));
    let error = SopsYaml::parse(&before).unwrap().remove(&["grief".to_owned()]).unwrap_err();
    assert_eq!(error, EditError::NoKey("grief".to_owned()));
    let last = SopsYaml::parse("keys: [&a x]\ncreation_rules: [{age: *a}]\n").unwrap();
    assert_eq!(last.remove(&["a".to_owned()]), Err(EditError::LastOne { rule: 1 }));
}

#[test]
fn bad_documents_are_refused_with_their_line() {
    let cases = [
        ("keys:\n\t- &a x\n", "line 2", "tab"),
        ("keys: [&a x, &a y]\n", "line 1", "&a stands in line 1 already"),
        ("keys: []\ncreation_rules:\n- age: *b\n", "line 3", "no anchor &b"),
        ("a: 1\na: 2\n", "line 2", "twice"),
        ("a: [\n", "line", "did not find"),
        ("a: 1\n---\nb: 2\n", "line", "second document"),
    ];
    for (text, line, part) in cases {
        let error = SopsYaml::parse(text).unwrap_err().to_string();
        assert!(error.contains(line) && error.contains(part), "{text:?}: {error}");
    }
    for (text, part) in [
        ("- a\n", "the file must be a map"),
        ("creation_rules: {a: b}\n", "list"),
        ("creation_rules: [a]\n", "rule 1"),
    ] {
        let error = SopsYaml::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text:?}: {error}");
    }
    let deep = "[".repeat(5000);
    assert!(SopsYaml::parse(&deep).is_err());
    let bad = SopsYaml::parse(HEADINGS).unwrap().set(&wish("a.b", &[])).unwrap_err();
    assert_eq!(bad, EditError::Name("a.b".to_owned()));
    let none = SopsYaml::parse(HEADINGS).unwrap().set(&wish("grief", &[7])).unwrap_err();
    assert!(none.to_string().contains("no rule \"7\""), "{none}");
}

#[test]
fn rules_are_found_by_number_and_by_what_they_say() {
    let document = SopsYaml::parse(HEADINGS).unwrap();
    assert_eq!(document.rule("other/.*"), Ok(2));
    assert_eq!(document.rule("1"), Ok(1));
    let error = document.rule("nothing").unwrap_err().to_string();
    assert!(error.contains("1 (secrets\\.yaml$), 2 (other/.*)"), "{error}");
}

#[test]
fn check_finds_what_sops_would_stumble_over() {
    let text = filled(
        "keys: [&a TA, &b TA, &c age1typo]\ncreation_rules:\n- path_regex: x\n- age: [*a, *b]\n- path_regex: y\n  age: z\n",
    );
    let found = SopsYaml::parse(&text).unwrap().check();
    let wrong: Vec<_> = found.iter().filter(|f| f.weight == Weight::Wrong).collect();
    let odd: Vec<_> = found.iter().filter(|f| f.weight == Weight::Odd).collect();
    let has = |list: &[&Finding], line: usize, part: &str| {
        assert!(list.iter().any(|f| f.line == line && f.text.contains(part)), "{part}: {found:?}");
    };
    has(&wrong, 1, "c: \"age1typo\"");
    has(&wrong, 3, "rule 1 has no key");
    has(&wrong, 5, "rule 3 is never reached: rule 2");
    has(&wrong, 6, "\"z\" is no age recipient");
    has(&odd, 1, "b has the same recipient as a");
    has(&odd, 1, "no rule uses c");
    assert_eq!(
        SopsYaml::parse(&filled(HEADINGS))
            .unwrap()
            .check()
            .iter()
            .filter(|f| f.weight == Weight::Wrong)
            .count(),
        0
    );
}

#[test]
fn five_thousand_lines_are_no_trouble() {
    let mut text = String::from("keys:\n");
    for n in 0..2500 {
        writeln!(text, "  # number {n}\n  - &host{n} {OLD}{n}").unwrap();
    }
    text.push_str("creation_rules:\n  - age:\n");
    for n in 0..2500 {
        writeln!(text, "      - *host{n}").unwrap();
    }
    let edited = SopsYaml::parse(&text).unwrap().set(&wish("grief", &[1])).unwrap().text;
    assert_eq!(edited.lines().count(), text.lines().count() + 2);
    let back = SopsYaml::parse(&edited).unwrap().remove(&["grief".to_owned()]).unwrap();
    assert_eq!(back.text, text);
}

/// Damaged documents: whatever comes out, it is an error or a text that reads as intended.
#[test]
fn no_damage_brings_it_down() {
    let text = filled(HEADINGS);
    let bytes = text.as_bytes();
    for at in (0..bytes.len()).step_by(11) {
        for change in [&b""[..], b"\t", b"-", b"[", b"&x", b"*ta", b"\n"] {
            let damaged = [&bytes[..at], change, &bytes[(at + 1).min(bytes.len())..]].concat();
            let Ok(damaged) = String::from_utf8(damaged) else { continue };
            let Ok(document) = SopsYaml::parse(&damaged) else { continue };
            let _ = document.check();
            if let Ok(edited) = document.set(&wish("grief", &[1])) {
                assert!(SopsYaml::parse(&edited.text).is_ok(), "{damaged}");
            }
            let _ = document.remove(&["guppy".to_owned()]);
        }
    }
}
