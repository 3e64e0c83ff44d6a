//! Failures of the embedded evaluator in the form that those of `nix` are brought into: the message, the nearest
//! place in a file with its lines, what may have been meant, and which options were being read.

use std::fmt::Write;

use crate::eval::error::{ErrorData, ErrorKind};
use crate::eval::position::{Place, Pos, Sources};
use crate::facts::evaluator::EvalError;
use crate::process::nix::{STEPS_TOLD, is_told};

/// What the messages say of things that only the real nix can do.
const BEYOND: [&str; 2] = ["the embedded evaluator", "the built-in evaluator"];

/// What a failed evaluation means.
pub(super) fn refused(error: &ErrorData, sources: &Sources) -> EvalError {
    if error.kind == ErrorKind::Interrupted {
        return EvalError::Interrupted;
    }
    let message = told(error, sources);
    if BEYOND.iter().any(|words| error.message.contains(words)) {
        return EvalError::Unsupported { message };
    }
    EvalError::Evaluation { message }
}

/// What is said of it.
pub(super) fn told(error: &ErrorData, sources: &Sources) -> String {
    let mut text = error.message.trim().to_owned();
    let traces = error.traces.innermost_first();
    let places = std::iter::once(error.pos).chain(traces.iter().map(|trace| trace.pos));
    let in_file = |pos: &Pos| sources.file_line_column(*pos).is_some();
    if let Some(pos) = places.into_iter().find(in_file)
        && let (Some(at), Some(place)) = (sources.describe(pos), sources.place(pos))
    {
        // What can't be written to a string does not exist.
        let _ = write!(text, "\nat {at}:{}", lines_around(&place));
    }
    if let Some((last, first)) = error.suggestions.split_last() {
        let names = if first.is_empty() {
            last.clone()
        } else {
            format!("one of {} or {last}", first.join(", "))
        };
        let _ = write!(text, "\nDid you mean {names}?");
    }
    let steps = traces.iter().map(|trace| trace.message.as_ref());
    for step in steps.filter(|step| is_told(step)).take(STEPS_TOLD) {
        text.push('\n');
        text.push_str(step);
    }
    text
}

/// The line of a place with its neighbours and a mark below.
fn lines_around(place: &Place<'_>) -> String {
    let mut text = String::new();
    let all: Vec<&[u8]> = place.source.text.split(|byte| *byte == b'\n').collect();
    let line = place.at.line as usize;
    for number in line.saturating_sub(1).max(1)..=line + 1 {
        let Some(code) = all.get(number - 1).filter(|code| number == line || !code.is_empty())
        else {
            continue;
        };
        let _ = write!(text, "\n{number:>6}| {}", String::from_utf8_lossy(code).trim_end());
        if number == line {
            let column = place.at.column as usize;
            // Tabs stay tabs, so that the mark stands below what it marks.
            let before = String::from_utf8_lossy(code.get(..column - 1).unwrap_or_default());
            let blank = |c: char| if c == '\t' { '\t' } else { ' ' };
            let _ = write!(text, "\n      | {}^", before.chars().map(blank).collect::<String>());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::Eval;
    use crate::eval::arena::Arena;
    use crate::eval::error::Traces;
    use crate::eval::io::MemoryIo;
    use crate::eval::settings::Settings;

    fn failure(text: &str) -> String {
        let (arena, io) = (Arena::new(), MemoryIo::default().file("/x/flake.nix", text));
        let mut eval = Eval::new(&arena, &io, Settings::default());
        let error = eval.import_file(b"/x/flake.nix", Pos::NONE).unwrap_err();
        refused(error.data(), &eval.sources).to_string()
    }

    #[test]
    fn the_place_comes_with_its_lines() {
        let said = failure("let set = { attr = 1; };\nin\n\tset.atr\n");
        let expected = "the flake could not be evaluated:\nattribute 'atr' missing\n\
                        at /x/flake.nix:3:2:\n     2| in\n     3| \tset.atr\n      | \t^\n\
                        Did you mean attr?";
        assert_eq!(said, expected);
    }

    #[test]
    fn the_innermost_options_are_told() {
        let text = "let read = name: builtins.addErrorContext \"while evaluating the option `${name}':\";\n\
                    in read \"a\" (read \"b\" (read \"c\" (builtins.addErrorContext \"else\" (read \"d\" (throw \"why\")))))";
        let said = failure(text);
        assert!(
            said.starts_with("the flake could not be evaluated:\nwhy\nat /x/flake.nix:2:"),
            "{said}"
        );
        let options: Vec<&str> =
            said.lines().skip_while(|line| !line.starts_with("while")).collect();
        let option = |name| format!("while evaluating the option `{name}':");
        assert_eq!(options, ["d", "c", "b"].map(option));
    }

    #[test]
    fn what_only_the_real_nix_can_do_names_it() {
        let told = ErrorData {
            kind: ErrorKind::Io,
            message: "the embedded evaluator builds nothing".into(),
            pos: Pos::NONE,
            suggestions: Vec::new(),
            traces: Traces::default(),
        };
        let error = refused(&told, &Sources::default());
        assert!(matches!(error, EvalError::Unsupported { .. }));
        assert!(error.hint().unwrap().contains("--evaluator nix"));
        let interrupted = ErrorData { kind: ErrorKind::Interrupted, ..told };
        assert!(matches!(refused(&interrupted, &Sources::default()), EvalError::Interrupted));
    }
}
