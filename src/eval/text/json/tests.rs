//! Facts of Nix 2.34, whose words and positions are nlohmann/json's.

use super::{ReadError, Sink, WriteError, read, write_string};

/// Writes the events down.
#[derive(Default)]
struct Events(String);

impl Events {
    fn say(&mut self, event: &str) {
        self.0.push_str(event);
        self.0.push(' ');
    }
}

impl Sink for Events {
    fn null(&mut self) {
        self.say("null");
    }
    fn bool(&mut self, value: bool) {
        self.say(&value.to_string());
    }
    fn int(&mut self, value: i64) {
        self.say(&value.to_string());
    }
    fn float(&mut self, value: f64) {
        self.say(&format!("{value:e}"));
    }
    fn string(&mut self, text: &[u8]) {
        self.say(&format!("<{}>", String::from_utf8_lossy(text)));
    }
    fn key(&mut self, name: &[u8]) {
        self.say(&format!("{}=", String::from_utf8_lossy(name)));
    }
    fn start_list(&mut self) {
        self.say("[");
    }
    fn end_list(&mut self) {
        self.say("]");
    }
    fn start_object(&mut self) {
        self.say("{");
    }
    fn end_object(&mut self) {
        self.say("}");
    }
}

fn events(text: &[u8]) -> String {
    let mut events = Events::default();
    read(text, &mut events).unwrap();
    events.0.trim_end().to_owned()
}

fn problem(text: &[u8]) -> String {
    read(text, &mut Events::default()).unwrap_err().to_string()
}

#[test]
fn documents_are_told_as_events() {
    assert_eq!(
        events(b" {\"a\": [1, -2.5e1, true], \"a\": {}, \"b\":[],\"c\":null,\n\"d\":false}\r\t "),
        "{ a= [ 1 -2.5e1 true ] a= { } b= [ ] c= null d= false }"
    );
    assert_eq!(events("\"\\u00e9\\ud83d\\ude00\\n\\/é\"".as_bytes()), "<é😀\n/é>");
    assert_eq!(events(b"\xEF\xBB\xBF\"plain\""), "<plain>");
}

#[test]
fn integers_out_of_range() {
    assert_eq!(
        events(b"[9223372036854775807,-9223372036854775808,-0]"),
        format!("[ {} {} 0 ]", i64::MAX, i64::MIN)
    );
    // Too small, or too big even without a sign: a float. In between: an error.
    assert_eq!(events(b"[-9223372036854775809]"), "[ -9.223372036854776e18 ]");
    assert_eq!(events(b"[18446744073709551616]"), "[ 1.8446744073709552e19 ]");
    assert_eq!(
        read(b"9223372036854775808", &mut Events::default()),
        Err(ReadError::IntegerRange(9_223_372_036_854_775_808))
    );
    assert_eq!(events(b"1e-400"), "0e0");
    assert_eq!(
        problem(b"-1e400"),
        "[json.exception.out_of_range.406] number overflow parsing '-1e400'"
    );
}

#[test]
fn errors_say_where_and_why() {
    let facts: &[(&[u8], &str)] = &[
        (
            b"[1,",
            "line 1, column 4: syntax error while parsing value - unexpected end of input; expected '[', '{', or a literal",
        ),
        (
            b"{\"a\":1",
            "line 1, column 7: syntax error while parsing object - unexpected end of input; expected '}'",
        ),
        (
            b"{a:1}",
            "line 1, column 2: syntax error while parsing object key - invalid literal; last read: '{a'; expected string literal",
        ),
        (
            b"{\"a\" 1}",
            "line 1, column 6: syntax error while parsing object separator - unexpected number literal; expected ':'",
        ),
        (
            b"[\n1 2]",
            "line 2, column 3: syntax error while parsing array - unexpected number literal; expected ']'",
        ),
        (
            b"01",
            "line 1, column 2: syntax error while parsing value - unexpected number literal; expected end of input",
        ),
        (
            b"[,]",
            "line 1, column 2: syntax error while parsing value - unexpected ','; expected '[', '{', or a literal",
        ),
        (
            b"nul",
            "line 1, column 4: syntax error while parsing value - invalid literal; last read: 'nul'",
        ),
        (
            b"-",
            "line 1, column 2: syntax error while parsing value - invalid number; expected digit after '-'; last read: '-'",
        ),
        (
            b"1.",
            "line 1, column 3: syntax error while parsing value - invalid number; expected digit after '.'; last read: '1.'",
        ),
        (
            b"1e+",
            "line 1, column 4: syntax error while parsing value - invalid number; expected digit after exponent sign; last read: '1e+'",
        ),
        (
            b"\"ab",
            "line 1, column 4: syntax error while parsing value - invalid string: missing closing quote; last read: '\"ab'",
        ),
        (
            b"\"\\x\"",
            "line 1, column 3: syntax error while parsing value - invalid string: forbidden character after backslash; last read: '\"\\x'",
        ),
        (
            b"\"\\u12\"",
            "line 1, column 6: syntax error while parsing value - invalid string: '\\u' must be followed by 4 hex digits; last read: '\"\\u12\"'",
        ),
        (
            b"\"\\ud800\"",
            "line 1, column 8: syntax error while parsing value - invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF; last read: '\"\\ud800\"'",
        ),
        (
            b"\"\t\"",
            "line 1, column 2: syntax error while parsing value - invalid string: control character U+0009 (HT) must be escaped to \\u0009 or \\t; last read: '\"<U+0009>'",
        ),
        (
            b"",
            "line 1, column 1: attempting to parse an empty input; check that your input string or stream contains the expected JSON",
        ),
        (
            b"  ",
            "line 1, column 3: syntax error while parsing value - unexpected end of input; expected '[', '{', or a literal",
        ),
    ];
    for (text, expected) in facts {
        assert_eq!(
            problem(text),
            format!("[json.exception.parse_error.101] parse error at {expected}")
        );
    }
}

#[test]
fn strings_of_json_must_be_utf8() {
    for text in
        [&b"\"\xFF\""[..], b"\"\xC0\x80\"", b"\"\xED\xA0\x80\"", b"\"a\xE2\x82\"", b"\"\xF0\x9F"]
    {
        assert!(problem(text).contains("invalid string: ill-formed UTF-8 byte"), "{text:?}");
    }
    assert_eq!(
        problem(b"{\"a\\u0000\":1}"),
        "input string 'a␀' cannot be represented as Nix string because it contains null bytes"
    );
}

#[test]
fn depth_costs_no_stack() {
    let deep = [vec![b'['; 1_000_000], vec![b']'; 1_000_000]].concat();
    read(&deep, &mut Events::default()).unwrap();
    assert!(problem(&deep[..1_500_000]).contains("unexpected end of input; expected ']'"));
}

#[test]
fn every_prefix_is_an_error_and_no_panic() {
    let whole = "{\"a\\u00e9\": [1.5e+3, \"é😀\", {\"b\": nullx".replace('x', "}, true]}");
    for end in 0..whole.len() {
        assert!(read(&whole.as_bytes()[..end], &mut Events::default()).is_err(), "{end}");
    }
    read(whole.as_bytes(), &mut Events::default()).unwrap();
}

#[test]
fn strings_are_written_as_nlohmann_does() {
    let mut out = Vec::new();
    write_string(&mut out, "a\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}é😀".as_bytes()).unwrap();
    let expected = "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u{7f}é😀\"";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    let facts: &[(&[u8], WriteError)] = &[
        (b"a\xFF", WriteError::InvalidByte { index: 1, byte: 0xFF }),
        (b"\xE2\x28", WriteError::InvalidByte { index: 1, byte: 0x28 }),
        (b"\xF0\x9Fz", WriteError::InvalidByte { index: 2, byte: b'z' }),
        (b"\xED\xA0\x80", WriteError::InvalidByte { index: 1, byte: 0xA0 }),
        (b"a\xE2\x82", WriteError::Incomplete { last: 0x82 }),
    ];
    for (text, error) in facts {
        assert_eq!(write_string(&mut Vec::new(), text).as_ref(), Err(error));
    }
    assert_eq!(
        facts[0].1.to_string(),
        "[json.exception.type_error.316] invalid UTF-8 byte at index 1: 0xFF"
    );
}
