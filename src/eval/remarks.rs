//! What the author of a source may want to know: warnings, or failures where the settings say so.

use super::Eval;
use super::error::{Error, ErrorKind, Result};
use super::io::Level;
use super::position::Base;
use super::settings::Lint;
use crate::syntax::{Remark, RemarkKind};

impl Eval<'_> {
    /// Prints what the settings want to be told, or fails with what they forbid.
    #[cold]
    pub(super) fn tell_remarks(&self, remarks: &[Remark], base: Base) -> Result<()> {
        for remark in remarks {
            let lint = self.lint(remark.kind);
            if lint == Lint::Ignore {
                continue;
            }
            let pos = base.at(remark.start);
            let Some(place) = self.sources.place(pos) else { continue };
            let code = place.source.text.get(remark.start as usize..remark.end as usize);
            let code = String::from_utf8_lossy(code.unwrap_or_default());
            let text = words(remark.kind, &code, lint);
            if lint == Lint::Fatal {
                return Err(Error::new(ErrorKind::Parse, pos, text));
            }
            let at = self.sources.describe(pos).unwrap_or_default();
            self.io.message(Level::Remark, format!("at {at}: {text}").as_bytes());
        }
        Ok(())
    }

    /// What is done about a kind of remark.
    fn lint(&self, kind: RemarkKind) -> Lint {
        let lints = self.settings.lints;
        match kind {
            RemarkKind::OrAsIdentifier => Lint::Warn,
            RemarkKind::UrlLiteral => lints.url_literals,
            RemarkKind::ShortPath => lints.short_path_literals,
            RemarkKind::AbsolutePath | RemarkKind::HomePath => lints.absolute_path_literals,
        }
    }
}

/// The words of C++ Nix 2.34.
fn words(kind: RemarkKind, code: &str, lint: Lint) -> String {
    let portable = |what| {
        format!(
            "{what} path literals are not portable. Consider replacing path literal '{code}' by a string, relative path, or parameter (lint-absolute-path-literals)"
        )
    };
    match kind {
        RemarkKind::OrAsIdentifier => format!(
            "This expression uses `or` as an identifier in a way that will change in a future Nix release.\n\
             Wrap this entire expression in parentheses to preserve its current meaning:\n    ({code})"
        ),
        RemarkKind::UrlLiteral => {
            let are = if lint == Lint::Fatal { "disallowed" } else { "discouraged" };
            format!(
                "URL literals are {are}. Consider using a string literal \"{code}\" instead (lint-url-literals)"
            )
        }
        RemarkKind::ShortPath => format!(
            "relative path literal '{code}' should be prefixed with '.' for clarity: './{code}' (lint-short-path-literals)"
        ),
        RemarkKind::AbsolutePath => portable("absolute"),
        RemarkKind::HomePath => portable("home"),
    }
}

#[cfg(test)]
mod tests {
    use crate::eval::Eval;
    use crate::eval::arena::Arena;
    use crate::eval::io::{Level, MemoryIo};
    use crate::eval::position::Origin;
    use crate::eval::settings::{Lint, Lints, Settings};

    /// What is printed on the way to the value of a program, and its failure, if it fails.
    fn printed(program: &str, lint: Lint) -> (Vec<String>, Option<String>) {
        let (arena, io) = (Arena::new(), MemoryIo::new());
        let lints =
            Lints { url_literals: lint, short_path_literals: lint, absolute_path_literals: lint };
        let settings = Settings { lints, ..Settings::default() };
        let mut eval = Eval::new(&arena, &io, settings);
        let result = eval.eval_string(program.as_bytes(), b"/", Origin::String);
        let text = |(level, text)| {
            assert_eq!(level, Level::Remark);
            String::from_utf8(text).unwrap()
        };
        (io.messages().into_iter().map(text).collect(), result.err().map(|e| e.to_string()))
    }

    /// The places are those of Nix 2.34.8.
    #[test]
    fn or_as_an_identifier_is_warned_of_where_it_will_mean_something_else() {
        let cases = [
            ("f f or", &["1:28: (f or)"][..]),
            ("{}.a or f or", &["1:34: (f or)"]),
            ("[ (f or) (f f or) ]", &["1:38: (f or)"]),
            ("[ f\n or f or]", &["1:28: (f\n or)", "2:5: (f or)"]),
            ("f or", &[]),
            ("{}.a or 1", &[]),
        ];
        for (body, expected) in cases {
            let program = format!("let or = 1; f = x: x; in {body}");
            let (found, _) = printed(&program, Lint::Ignore);
            assert_eq!(found.len(), expected.len(), "{body}: {found:?}");
            for (found, expected) in found.iter().zip(expected) {
                let (place, code) = expected.split_once(": ").unwrap();
                assert!(found.starts_with(&format!("at «string»:{place}: ")), "{found}");
                assert!(found.ends_with(&format!("\n    {code}")), "{found}");
            }
        }
    }

    #[test]
    fn url_literals_are_what_the_settings_say() {
        assert_eq!(printed("[ a:b ]", Lint::Ignore), (vec![], None));
        let (found, error) = printed("[ a:b ]", Lint::Warn);
        let advice = r#"Consider using a string literal "a:b" instead (lint-url-literals)"#;
        assert_eq!(found, [format!("at «string»:1:3: URL literals are discouraged. {advice}")]);
        assert_eq!(error, None);
        let (found, error) = printed("[ a:b ]", Lint::Fatal);
        assert!(found.is_empty());
        assert_eq!(error, Some(format!("URL literals are disallowed. {advice}")));
    }

    /// The words are those of Nix 2.34.8.
    #[test]
    fn path_literals_are_what_the_settings_say() {
        let program = "[ a/b ./c ../d /e ~/f a/${\"g\"} ]";
        let (found, _) = printed(&program.replace("~/f ", ""), Lint::Warn);
        let short = |path| {
            format!(
                "relative path literal '{path}' should be prefixed with '.' for clarity: './{path}' (lint-short-path-literals)"
            )
        };
        let absolute = "absolute path literals are not portable. Consider replacing path literal '/e' by a string, relative path, or parameter (lint-absolute-path-literals)";
        let expected =
            [("1:3", short("a/b")), ("1:16", absolute.to_owned()), ("1:19", short("a/"))];
        assert_eq!(found, expected.map(|(place, text)| format!("at «string»:{place}: {text}")));
        let (found, error) = printed(program, Lint::Fatal);
        assert_eq!((found, error), (vec![], Some(short("a/b"))));
    }
}
