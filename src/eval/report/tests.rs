use super::*;
use crate::eval::error::{Error, ErrorKind};
use crate::eval::position::{Base, Origin};

/// Sources that begin with this file.
fn source(text: &[u8]) -> (Sources, Base) {
    let mut sources = Sources::default();
    let base =
        sources.add(Origin::File(b"/here/a.nix".as_slice().into()), b"/here", Box::from(text));
    (sources, base.unwrap())
}

fn report(error: &Error, sources: &Sources) -> String {
    render(error.data(), sources, ReportOptions::default())
}

/// The report of an error at each offset, which must at least not panic.
fn everywhere(text: &[u8]) {
    let (sources, base) = source(text);
    for offset in 0..=u32::try_from(text.len()).unwrap() {
        let error = Error::evaluation(base.at(offset), "wrong");
        let shown = report(&error, &sources);
        assert!(shown.starts_with("error: wrong\n"), "{offset}: {shown}");
        assert!(shown.contains("--> /here/a.nix:"), "{offset}: {shown}");
        assert!(shown.lines().last().unwrap().len() < 200, "{offset}: {shown}");
    }
}

#[test]
fn a_failure_shows_its_lines_its_steps_and_what_was_meant() {
    let (mut sources, base) = source(b"let\n  set = { value = 1; };\nin set.valeu\n");
    let other = sources.add(Origin::String, b"/", Box::from(&b"import /here/a.nix"[..])).unwrap();
    let error = Error::new(ErrorKind::MissingAttribute, base.at(35), "attribute 'valeu' missing")
        .suggesting(vec!["value".to_owned()])
        .while_(base.at(35), "while calling the 'x' builtin")
        .while_(other.at(0), "while evaluating the file '/here/a.nix'")
        .while_(Pos::NONE, "while evaluating something without a place");
    insta::assert_snapshot!("missing", report(&error, &sources));
}

#[test]
fn only_the_innermost_steps_the_outermost_and_those_of_the_program_are_told() {
    let (sources, base) = source(b"a b c d e f g h i j");
    let step = |error: Error, n: u32| error.while_(base.at(n * 2), format!("step {n}"));
    let error = Error::evaluation(base.at(0), "wrong");
    let error = (1..6).fold(error, step).with_context(Pos::NONE, "in my words".to_owned());
    let error = (6..9).fold(error, step);
    insta::assert_snapshot!("chosen", report(&error, &sources));
    let all = ReportOptions { show_trace: true, ..ReportOptions::default() };
    let all = render(error.data(), &sources, all);
    assert!((1..9).all(|n| all.contains(&format!("note: step {n}\n"))), "{all}");
}

#[test]
fn a_deep_recursion_is_told_shortly() {
    let (sources, base) = source(b"let f = x: f x; in f 1");
    let error = Error::new(ErrorKind::StackOverflow, base.at(11), "stack overflow");
    let turn = |error: Error, _| {
        error.while_(base.at(8), "while calling 'f'").while_(base.at(11), "from call site")
    };
    let error = (0..50).fold(error, turn).while_(base.at(19), "from call site");
    let options = ReportOptions { show_trace: true, ..ReportOptions::default() };
    insta::assert_snapshot!("recursion", render(error.data(), &sources, options));
}

#[test]
fn several_names_may_have_been_meant() {
    let names =
        |names: &[&str]| suggestion(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(names(&[]), None);
    assert_eq!(names(&["a"]).unwrap(), "did you mean a?");
    assert_eq!(names(&["a", "b", "c"]).unwrap(), "did you mean one of a, b or c?");
}

#[test]
fn messages_of_several_lines_stay_aligned_and_steer_no_terminal() {
    let (sources, base) = source(b"throw ''\n  a''");
    let message = "\nFailed assertions:\n- \x1b[31mred\x1b[0m\x08 \u{202e}\ttab\r\n";
    let error = Error::new(ErrorKind::Throw, base.at(0), message);
    insta::assert_snapshot!("lines", report(&error, &sources));
}

#[test]
fn a_long_line_is_cut() {
    let line = format!("[ {} (wrong-name) {} ]", "x ".repeat(5000), "y ".repeat(5000));
    let (sources, base) = source(line.as_bytes());
    let error = Error::evaluation(base.at(10_004), "undefined variable 'wrong-name'");
    insta::assert_snapshot!("longer-line", report(&error, &sources));
    let (sources, base) = source(format!("[ {} wrong-name ]", "x ".repeat(300)).as_bytes());
    let error = Error::evaluation(base.at(603), "undefined variable 'wrong-name'");
    insta::assert_snapshot!("long-line", report(&error, &sources));
}

#[test]
fn odd_sources_are_shown_as_far_as_possible() {
    for text in [
        &b""[..],
        b"\n",
        b"x",
        b"a\r\nb\rc\n\r\n\rd\n",
        b"\t\tx\t= 1;\n\t}",
        b"\xff\xfe\x80 \xe2\x82 x\n\xc3",
        "ä = \"日本語\"; 🙂\n".as_bytes(),
        b"a\0b\x1b[31mc\x7f\n\x08",
    ] {
        everywhere(text);
    }
}

#[test]
fn tabs_and_carriage_returns_do_not_move_the_mark() {
    let (sources, base) = source(b"{\r\n\tx = y;\r\n\t\xff z = 1;\r\n}");
    let error = Error::evaluation(base.at(8), "undefined variable 'y'");
    insta::assert_snapshot!("tabs", report(&error, &sources));
}

#[test]
fn colours_only_come_when_they_are_wanted() {
    let (sources, base) = source(b"x");
    let error = Error::evaluation(base.at(0), "wrong");
    let colour = ReportOptions { colour: true, ..ReportOptions::default() };
    assert!(render(error.data(), &sources, colour).contains('\u{1b}'));
    assert!(!report(&error, &sources).contains('\u{1b}'));
}
