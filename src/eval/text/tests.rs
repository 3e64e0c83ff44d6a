//! Facts of Nix 2.34 about paths, versions, replacing and printing.

use std::cmp::Ordering;

use super::{path, print, replace, version, xml};

#[test]
fn base_names_overlook_one_trailing_slash() {
    for (text, base, directory) in [
        ("", "", "."),
        ("/", "", "/"),
        ("//", "", "/"),
        ("a/", "a", "a"),
        ("a//", "", "a/"),
        ("/a", "a", "/"),
        ("a/b", "b", "a"),
        ("a/b/", "b", "a/b"),
        ("//a", "a", "/"),
        ("a///b", "b", "a//"),
    ] {
        assert_eq!(path::base_name(text.as_bytes()), base.as_bytes(), "{text}");
        assert_eq!(path::dir_name(text.as_bytes()), directory.as_bytes(), "{text}");
    }
}

#[test]
fn paths_become_canonical() {
    for (text, canonical) in [
        ("/", "/"),
        ("", "/"),
        ("/..", "/"),
        ("/a/./b//c/", "/a/b/c"),
        ("/a/b/../../../c", "/c"),
        ("/a/...", "/a/..."),
        ("a/.b", "/a/.b"),
    ] {
        assert_eq!(path::canonical(text.as_bytes()), canonical.as_bytes(), "{text}");
        assert_eq!(path::is_canonical(text.as_bytes()), text == canonical, "{text}");
    }
    assert_eq!(path::join(b"/x/y", b"../z"), b"/x/z");
    assert_eq!(path::join(b"/", b"./."), b"/");
    assert_eq!(path::join(b"/x", b"/z/"), b"/z");
    assert_eq!(path::join(b"/x/y/", b"a"), b"/x/y/a");
}

#[test]
fn versions_compare_by_components() {
    for (left, right, order) in [
        ("1.0", "2.3", Ordering::Less),
        ("2.1", "2.3", Ordering::Less),
        ("2.3", "2.3", Ordering::Equal),
        ("2.5", "2.3", Ordering::Greater),
        ("2.3.1", "2.3", Ordering::Greater),
        ("2.3.1", "2.3a", Ordering::Greater),
        ("2.3pre1", "2.3", Ordering::Less),
        ("2.3pre3", "2.3pre12", Ordering::Less),
        ("2.3a", "2.3c", Ordering::Less),
        ("2.3pre1", "2.3q", Ordering::Less),
        ("1", "01-.", Ordering::Equal),
        ("", "1", Ordering::Less),
        ("", "a", Ordering::Less),
        // Beyond C's `int` digits are compared as words.
        ("2147483648", "2147483647", Ordering::Less),
        ("99999999999", "100000000000", Ordering::Greater),
    ] {
        assert_eq!(version::compare(left.as_bytes(), right.as_bytes()), order, "{left} {right}");
        assert_eq!(version::compare(right.as_bytes(), left.as_bytes()), order.reverse());
    }
}

#[test]
fn versions_and_names_are_cut() {
    let cut: Vec<&[u8]> = version::components(b"-1.2pre3..a+b-c1-").collect();
    assert_eq!(cut, [&b"1"[..], b"2", b"pre", b"3", b"a+b", b"c", b"1"]);
    assert_eq!(version::components(b".-.").count(), 0);
    for (name, package, version) in [
        ("nix-0.12pre12876", "nix", "0.12pre12876"),
        ("a-b-c-1234pre5+git", "a-b-c", "1234pre5+git"),
        ("hello", "hello", ""),
        ("a--b", "a", "-b"),
        ("foo-", "foo-", ""),
        ("a-é", "a", "é"),
        ("", "", ""),
    ] {
        assert_eq!(
            version::parse_drv_name(name.as_bytes()),
            (package.as_bytes(), version.as_bytes())
        );
    }
}

fn replaced(patterns: &[&str], text: &str) -> String {
    let patterns: Vec<&[u8]> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
    let mut out = Vec::new();
    let result: Result<(), ()> =
        replace::Replacer::new(&patterns).replace(text.as_bytes(), |piece| {
            match piece {
                replace::Piece::Kept(text) => out.extend_from_slice(text),
                replace::Piece::Replaced(index) => out.extend(format!("<{index}>").bytes()),
            }
            Ok(())
        });
    result.unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_first_pattern_that_fits_is_replaced() {
    assert_eq!(replaced(&["oo", "a"], "foobar"), "f<0>b<1>r");
    assert_eq!(replaced(&["a", "ab"], "abab"), "<0>b<0>b");
    assert_eq!(replaced(&["ab", "a"], "abac"), "<0><1>c");
    assert_eq!(replaced(&[""], "ab"), "<0>a<0>b<0>");
    assert_eq!(replaced(&["b", "", "a"], "ab"), "<1>a<0><1>");
    assert_eq!(replaced(&["abc", ""], "ab"), "<1>a<1>b<1>");
    assert_eq!(replaced(&[""], ""), "<0>");
    assert_eq!(replaced(&[], "ab"), "ab");
}

#[test]
fn replacing_ends_at_the_first_error() {
    let mut seen = Vec::new();
    let result = replace::Replacer::new(&[b"a", b"b"]).replace(b"xaba", |piece| {
        seen.push(piece);
        if piece == replace::Piece::Replaced(1) { Err("no") } else { Ok(()) }
    });
    assert_eq!(result, Err("no"));
    assert_eq!(
        seen,
        [replace::Piece::Kept(b"x"), replace::Piece::Replaced(0), replace::Piece::Replaced(1)]
    );
}

#[test]
fn strings_and_names_print_as_source() {
    let printed = |text: &[u8]| {
        let mut out = Vec::new();
        print::write_string(&mut out, text);
        out
    };
    assert_eq!(
        printed(b"a\"\\\n\r\t${x} $x $${ $\x01\xFF"),
        b"\"a\\\"\\\\\\n\\r\\t\\${x} $x $\\${ $\x01\xFF\""
    );
    let named = |name: &str| {
        let mut out = Vec::new();
        print::write_attr_name(&mut out, name.as_bytes());
        String::from_utf8(out).unwrap()
    };
    for plain in ["a", "_", "a'-1", "or", "null", "true", "ifx"] {
        assert_eq!(named(plain), plain);
    }
    for quoted in ["", "1a", "-a", "'a", "a b", "a.b", "é", "if", "inherit", "rec", "in"] {
        assert_eq!(named(quoted), format!("\"{quoted}\""));
    }
}

#[test]
fn xml_has_a_line_for_each_element() {
    let mut writer = xml::XmlWriter::new();
    writer.open("expr", &[]);
    writer.open("attr", &[("name", b"a\"<>&\n'\r\t")]);
    writer.empty("null", &[]);
    writer.close();
    writer.empty("int", &[("value", b"1")]);
    assert_eq!(
        String::from_utf8(writer.finish()).unwrap(),
        "<?xml version='1.0' encoding='utf-8'?>\n<expr>\n  <attr \
         name=\"a&quot;&lt;&gt;&amp;&#xA;'\r\t\">\n    <null />\n  </attr>\n  <int value=\"1\" />\n</expr>\n"
    );
}
