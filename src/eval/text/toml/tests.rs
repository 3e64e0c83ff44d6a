//! Facts of Nix 2.34.

use super::{Toml, TomlError, read};

/// A value in a short notation.
fn show(value: &Toml) -> String {
    match value {
        Toml::Bool(value) => value.to_string(),
        Toml::Int(value) => value.to_string(),
        Toml::Float(value) => format!("{value:?}"),
        Toml::String(text) => format!("{text:?}"),
        Toml::Timestamp(text) => format!("<{text}>"),
        Toml::List(values) => {
            format!("[{}]", values.iter().map(show).collect::<Vec<_>>().join(" "))
        }
        Toml::Table(entries) => {
            let entries = entries.iter().map(|(name, value)| format!("{name}={}", show(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(" "))
        }
    }
}

fn document(text: &str) -> String {
    show(&Toml::Table(read(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"))))
}

fn value(text: &str) -> String {
    document(&format!("a = {text}")).trim_start_matches("{a=").trim_end_matches('}').to_owned()
}

#[test]
fn numbers() {
    for (text, expected) in [
        ("+5", "5"),
        ("-0", "0"),
        ("1_000", "1000"),
        ("0x7FFF_ffff", "2147483647"),
        ("0b101", "5"),
        ("0o17", "15"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("-0.0", "-0.0"),
        ("1e5", "100000.0"),
        ("1e06", "1000000.0"),
        ("1.5E-3", "0.0015"),
        ("5e-400", "0.0"),
        ("-inf", "-inf"),
        ("+nan", "NaN"),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn strings() {
    for (text, expected) in [
        (r#""\u00e9\U0001F600\b\t\n\f\r\"\\""#, r#""é😀\u{8}\t\n\u{c}\r\"\\""#),
        (r"'a\n'", r#""a\\n""#),
        ("'''\na'b''c'''", r#""a'b''c""#),
        ("\"\"\"\r\na\r\nb\"\"\"", r#""a\r\nb""#),
        ("\"\"\"a\\  \n \n\t b\"\"\"", r#""ab""#),
        (r#""""a""b"""""#, r#""a\"\"b\"""#),
        ("\"\"\"\"\"\"\"", r#""\"""#),
        ("'''''a'''''", r#""''a''""#),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn timestamps() {
    for (text, expected) in [
        ("1979-05-27T07:32:00Z", "<1979-05-27T07:32:00Z>"),
        ("1979-05-27t07:32:00.5-07:00", "<1979-05-27T07:32:00.500-07:00>"),
        ("1979-05-27 07:32:00.123456", "<1979-05-27T07:32:00.123456>"),
        ("1979-05-27T07:32:00.000+00:00", "<1979-05-27T07:32:00Z>"),
        ("1979-05-27T07:32:00+10:60", "<1979-05-27T07:32:00+11:00>"),
        ("1979-05-27 # and no time", "<1979-05-27>"),
        ("07:32:00.1234567891", "<07:32:00.123456789>"),
        ("07:32:00.1234567", "<07:32:00.123456700>"),
        ("2000-02-29T23:59:60z", "<2000-02-29T23:59:60Z>"),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn tables() {
    for (text, expected) in [
        ("", "{}"),
        ("\u{feff}a=1 # é\r\n\t\nb=true", "{a=1 b=true}"),
        (
            "a=1\n[b.c]\nd='x'\n[[e]]\nf=1.5\n[[e]]\ng=[1,'a',{x=1}]",
            r#"{a=1 b={c={d="x"}} e=[{f=1.5} {g=[1 "a" {x=1}]}]}"#,
        ),
        ("[a.b]\n[a]\nc=1", "{a={b={} c=1}}"),
        ("[[a]]\n[a.b]\nx=1\n[[a]]\n[a.b]\ny=1", "{a=[{b={x=1}} {b={y=1}}]}"),
        ("\"\" = 1\n'a b' . c = 2\n3.1=4", "{=1 3={1=4} a b={c=2}}"),
        ("a = [ 1, # one\n 2,\n]\nb={ c.d = 1, c.e = 2 }", "{a=[1 2] b={c={d=1 e=2}}}"),
    ] {
        assert_eq!(document(text), expected, "{text}");
    }
}

#[test]
fn bad_documents() {
    for text in [
        "a",
        "a=",
        "=1",
        "a=1 b=2",
        "a b=1",
        "é=1",
        "a.=1",
        "\"\"\"a\"\"\"=1",
        "[]",
        "[a",
        "[ [a]]",
        "[[a] ]",
        "a=01",
        "a=1__0",
        "a=_1",
        "a=+0x1",
        "a=0x_1",
        "a=0b12",
        "a=9223372036854775808",
        "a=0x8000000000000000",
        "a=1.",
        "a=.5",
        "a=1.e3",
        "a=1e",
        "a=1e400",
        "a=True",
        "a=tru",
        "a=\"\\e\"",
        "a=\"\\x41\"",
        "a=\"\\/\"",
        "a=\"\\ud800\"",
        "a=\"\\u12\"",
        "a=\"\u{7f}\"",
        "a=\"x\ny\"",
        "a=\"x",
        "a='''x",
        "a=\"\"\"x\ry\"\"\"",
        "a=\"\"\"x\\ y\"\"\"",
        "a=[,]",
        "a=[1 2]",
        "a=[1",
        "a={b=1,}",
        "a={b=1\n}",
        "a={b=1 c=2}",
        "a={b=1,b=2}",
        "a={b={c=1}, b.d=2}",
        "a=1979-13-01",
        "a=1900-02-29",
        "a=24:00:00",
        "a=07:32",
        "a=1979-05-27T",
        "a=07:32:00.",
        "a=07:32:00Z",
        "a=1979-05-27T07:32:00+25:00",
        "# \u{1}",
        "a=1\r",
        "a=1\na=2",
        "[a]\n[a]",
        "a.b=1\n[a]",
        "[a]\nb.c=1\n[a.b]",
        "a={b=1}\n[a.c]",
        "a=[{b=1}]\n[[a]]",
        "a=1\na.b=2",
        "[[a]]\n[a]",
    ] {
        assert!(matches!(read(text.as_bytes()), Err(TomlError::Syntax { .. })), "{text:?}");
    }
    assert!(read(b"a='\xFF'").is_err());
    let deep = "a=".to_owned() + &"[".repeat(1_000_000);
    assert!(read(deep.as_bytes()).is_err());
}

#[test]
fn errors_say_where() {
    let error = read(b"a=1\n b = 01 ").unwrap_err();
    assert_eq!(error.to_string(), "invalid integer at line 2, column 6");
    let error = read(b"a=\"x\\u0000\"").unwrap_err();
    assert_eq!(error, TomlError::NullByte("x\u{2400}".into()));
}

#[test]
fn every_prefix_is_read_without_panic() {
    let whole =
        "a = \"\\u00e9é\" # é\n[b.'c']\nd = [1.5e3, 1979-05-27 07:32:00.5Z, {x = '''\r\né'''}]\n";
    for end in 0..whole.len() {
        let _ = read(&whole.as_bytes()[..end]);
    }
    read(whole.as_bytes()).unwrap();
}
