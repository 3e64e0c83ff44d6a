//! Facts of Nix 2.34, and agreement between the plain and the fast matcher.

use super::{Regex, RegexError};

/// The groups of a full match as Nix would print them.
fn full(pattern: &str, text: &str) -> String {
    let groups = Regex::new(pattern.as_bytes()).unwrap().full_match(text.as_bytes());
    groups.map_or("null".to_owned(), |groups| list(&groups, text))
}

fn list(groups: &super::Groups, text: &str) -> String {
    let show = |group: &Option<std::ops::Range<usize>>| match group {
        Some(range) => format!("\"{}\" ", text.get(range.clone()).unwrap()),
        None => "null ".to_owned(),
    };
    format!("[ {}]", groups.iter().map(show).collect::<String>())
}

fn split(pattern: &str, text: &str) -> String {
    split_by(&Regex::new(pattern.as_bytes()).unwrap(), text)
}

fn split_by(regex: &Regex, text: &str) -> String {
    let (mut out, mut last) = (String::from("[ "), 0);
    for found in regex.split(text.as_bytes()) {
        let groups = list(&found.groups, text);
        out.extend(["\"", &text[last..found.range.start], "\" ", &groups, " "]);
        last = found.range.end;
    }
    out + &format!("\"{}\" ]", &text[last..])
}

#[test]
fn full_matches() {
    for (pattern, text, groups) in [
        ("ab", "abc", "null"),
        ("abc", "abc", "[ ]"),
        ("a(b)(c)", "abc", "[ \"b\" \"c\" ]"),
        ("[[:space:]]+([[:upper:]]+)[[:space:]]+", "  FOO   ", "[ \"FOO\" ]"),
        // The first way that leads to the end, not the longest of each group.
        ("(a|ab)(c|bcd)(d*)", "abcd", "[ \"a\" \"bcd\" \"\" ]"),
        // What a group held in an earlier round stays.
        ("((a)|b)*", "ab", "[ \"b\" \"a\" ]"),
        ("(a){0}b", "b", "[ null ]"),
        // A last, empty round.
        ("(a*)*", "aa", "[ \"\" ]"),
        ("(a*){2}", "aa", "[ \"\" ]"),
        ("(|a)*b", "aab", "[ \"\" ]"),
        ("()*x", "x", "[ \"\" ]"),
        ("(.*)\n(.*)", "a\nb\nc", "[ \"a\nb\" \"c\" ]"),
        (".*b.*", "a\nb\nc", "[ ]"),
        (".*b", "a\nb", "[ ]"),
        ("a.*", "b", "null"),
        ("", "", "[ ]"),
        ("a|", "", "[ ]"),
        ("^a$", "a", "[ ]"),
        ("(a^b|ab)", "ab", "[ \"ab\" ]"),
        ("a**", "aa", "[ ]"),
        ("a+?", "aa", "[ ]"),
        ("a{2,3}", "aaaa", "null"),
        ("a{2,}", "aaaa", "[ ]"),
        ("}]", "}]", "[ ]"),
    ] {
        assert_eq!(full(pattern, text), groups, "{pattern} {text}");
    }
}

#[test]
fn brackets() {
    for (pattern, text) in [
        ("[\\]+", "\\\\"),
        ("[]a]+", "a]"),
        ("[^]a]", "b"),
        ("[^a]", "\n"),
        ("[a-]+", "a-"),
        ("[--0]+", "-./0"),
        ("[[.hyphen.]-0]+", "-./0"),
        ("[[=a=]]+", "aA"),
        ("[[:ALPHA:]_]+", "a_B"),
        ("[[:w:][:d:][:s:]]+", "a_ 1"),
        ("[[:punct:]]+", "!~_"),
        ("[[]+", "[["),
        ("é", "é"),
        ("[^a][^a]", "é"),
    ] {
        assert_ne!(full(pattern, text), "null", "{pattern} {text}");
    }
    for (pattern, text) in [("[[:alpha:]]", "é"), ("[^a]", "é"), ("[^^-]", "-"), ("[[:s:]]", "s")]
    {
        assert_eq!(full(pattern, text), "null", "{pattern} {text}");
    }
    // Bytes have a sign: these ranges run from -128, and the other way round they are empty.
    assert!(Regex::new(b"[\x80-a]").unwrap().full_match(b"\xFF").is_some());
    assert!(Regex::new(b"[a-\xFF]").is_err());
    assert!(Regex::new(b".").unwrap().full_match(b"\0").is_none());
    assert!(Regex::new(b".*").unwrap().full_match(b"a\0").is_none());
}

#[test]
fn invalid_expressions() {
    for pattern in [
        "(",
        ")",
        "a)",
        "(a",
        "[",
        "[a",
        "[]",
        "[^]",
        "*",
        "*a",
        "+",
        "?",
        "^*",
        "a|*",
        "(*a)",
        "{1}",
        "a{",
        "a{}",
        "a{,2}",
        "a{2,1}",
        "a{1",
        "a{1,2,3}",
        "a{x}",
        "a{1 }",
        "a{4294967297}",
        "\\",
        "\\d",
        "\\n",
        "\\1",
        "\\]",
        "(?:a)",
        "(?=a)",
        "[b-a]",
        "[a-[:alpha:]]",
        "[[:alpha:]-z]",
        "[a-b-c]",
        "[[:word:]]",
        "[[:alpha]",
        "[[.-.]]",
        "[[.ab.]]",
        "[[=ab=]]",
        "[[:a:b:]]",
        "[[",
    ] {
        let error = Regex::new(pattern.as_bytes()).unwrap_err();
        assert_eq!(error, RegexError::Invalid, "{pattern}");
    }
    assert_eq!(Regex::new(b"a\0").unwrap_err(), RegexError::Invalid);
}

#[test]
fn size_is_limited_where_libstdcxx_limits_it() {
    assert_eq!(full("a{99993}", "a"), "null");
    for pattern in ["a{99994}", "((a{1000}){1000}){1000}", "(a|b){2147483647}"] {
        assert_eq!(Regex::new(pattern.as_bytes()).unwrap_err(), RegexError::TooBig, "{pattern}");
    }
    let deep = "(".repeat(100_000);
    assert!(Regex::new(deep.as_bytes()).is_err());
    assert!(Regex::new(("a".to_owned() + &"*".repeat(100_000)).as_bytes()).is_err());
}

#[test]
fn splits() {
    for (pattern, text, pieces) in [
        ("(a)b", "abc", "[ \"\" [ \"a\" ] \"c\" ]"),
        ("([ac])", "abc", "[ \"\" [ \"a\" ] \"b\" [ \"c\" ] \"\" ]"),
        ("(a)|(c)", "abc", "[ \"\" [ \"a\" null ] \"b\" [ null \"c\" ] \"\" ]"),
        (", ", "a, b, c", "[ \"a\" [ ] \"b\" [ ] \"c\" ]"),
        ("x", "abc", "[ \"abc\" ]"),
        // The longest alternative, but the first number of repetitions.
        ("(a|ab)", "xaby", "[ \"x\" [ \"ab\" ] \"y\" ]"),
        ("a*(ab)?", "aab", "[ \"\" [ null ] \"\" [ null ] \"b\" [ null ] \"\" ]"),
        // Empty matches.
        ("a*", "ab", "[ \"\" [ ] \"\" [ ] \"b\" [ ] \"\" ]"),
        ("", "ab", "[ \"\" [ ] \"a\" [ ] \"b\" [ ] \"\" ]"),
        ("$", "ab", "[ \"ab\" [ ] \"\" ]"),
        ("^", "ab", "[ \"\" [ ] \"ab\" ]"),
        ("(^|,)", "a,b", "[ \"\" [ \"\" ] \"a\" [ \",\" ] \"b\" ]"),
        ("(|a)", "aab", "[ \"\" [ \"a\" ] \"\" [ \"a\" ] \"\" [ \"\" ] \"b\" [ \"\" ] \"\" ]"),
        (
            "(a*)(ab)*(b*)",
            "abbab",
            "[ \"\" [ \"a\" null \"bb\" ] \"\" [ \"a\" null \"b\" ] \"\" [ \"\" null \"\" ] \"\" ]",
        ),
    ] {
        assert_eq!(split(pattern, text), pieces, "{pattern} {text}");
    }
}

#[test]
fn both_matchers_agree() {
    let atoms =
        ["a", "b", "[ab]", "[^a]", ".", "(a)", "(b|c)", "(ab|c)", "(a|ab)", "(a?)", "^", "$"];
    let times = ["", "*", "", "{1,2}"];
    let texts = ["", "a", "ab", "abab", "aabbcc", "cab\na", "bbbb", "abcabcabc"];
    for first in atoms {
        for second in atoms {
            for (at, times) in times.iter().enumerate() {
                let times = if first.len() == 1 && "^$".contains(first) { "" } else { times };
                let bar = if at % 3 == 2 { "|" } else { "" };
                let pattern = format!("{first}{times}{bar}{second}(b*)");
                let plain = Regex::new(pattern.as_bytes()).unwrap();
                let fast = Regex::new(pattern.as_bytes()).unwrap();
                for text in texts {
                    plain.patience.set(usize::MAX);
                    fast.patience.set(0);
                    let bytes = text.as_bytes();
                    assert_eq!(plain.full_match(bytes), fast.full_match(bytes), "{pattern} {text}");
                    assert_eq!(split_by(&plain, text), split_by(&fast, text), "{pattern} {text}");
                }
            }
        }
    }
}

#[test]
fn much_text_needs_little_time_and_stack() {
    let text = "a".repeat(30_000);
    for pattern in ["(a*)*b", "((a|b)*)*c", "(|a)*b", "(a|aa)*$b", "(.*)(.*)(.*)x"] {
        let regex = Regex::new(pattern.as_bytes()).unwrap();
        regex.patience.set(usize::MAX);
        assert_eq!(regex.full_match(text.as_bytes()), None, "{pattern}");
    }
    let regex = Regex::new(b"(a|ab)*").unwrap();
    regex.patience.set(usize::MAX);
    assert_eq!(regex.full_match(text.as_bytes()), Some(vec![Some(29_999..30_000)]));
    assert_eq!(split("(a|b|ab)", &text).matches('[').count(), 30_001);
}
