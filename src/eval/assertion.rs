//! Assertions that fail: that of an equality says where the two sides differ.

use super::Eval;
use super::code::{Node, NodeId};
use super::error::{Error, ErrorKind, Result};
use super::position::Pos;
use super::print::expr::{Folders, print_expr};
use super::print::{shortened, type_name};
use super::value::{Attrs, Env, List, Slot, Value};
use crate::syntax::{BinOp, Features, Symbol, Symbols, parse};

impl<'a> Eval<'a> {
    /// The error of the assertion at `node`, whose `condition` does not hold.
    #[cold]
    pub(super) fn assertion_failed(
        &mut self,
        node: NodeId,
        condition: NodeId,
        env: Env<'a>,
    ) -> Error {
        let pos = self.code.pos(node);
        let text = self.condition_text(pos).unwrap_or_default();
        if let Node::Binary { op: BinOp::Equal, left, right } = self.code.as_written(condition)
            && let Err(error) = self.assert_equal_nodes(left, right, env)
        {
            if error.kind() != ErrorKind::Assertion {
                return error;
            }
            let what = format!("while evaluating the condition of the assertion '{text}'");
            return error.while_(pos, what);
        }
        Error::new(ErrorKind::Assertion, pos, format!("assertion '{text}' failed"))
    }

    /// The condition of the `assert` at `pos` as text: the source is parsed once more.
    fn condition_text(&self, pos: Pos) -> Option<String> {
        let place = self.sources.place(pos)?;
        let mut symbols = Symbols::new();
        let features = Features { pipe_operators: self.settings.features.pipe_operators };
        let ast = parse(&place.source.text, &mut symbols, features).ok()?;
        let home = self.settings.home.as_deref().unwrap_or_default();
        let folders = Folders { here: &place.source.dir, home };
        let text = print_expr(&ast, ast.assertion_at(place.offset)?, &symbols, folders);
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// Evaluates both sides once more: only a failure pays for telling the difference.
    fn assert_equal_nodes(&mut self, left: NodeId, right: NodeId, env: Env<'a>) -> Result<()> {
        let a = self.eval(left, env)?;
        let b = self.eval(right, env)?;
        self.assert_equal(a, b)
    }

    /// Fails at the first difference that [`Eval::equal`] comes to, in the same order.
    fn assert_equal(&mut self, a: Value<'a>, b: Value<'a>) -> Result<()> {
        match (a, b) {
            (Value::List(a), Value::List(b)) => return self.assert_equal_lists(a, b),
            (Value::Attrs(a), Value::Attrs(b)) => return self.assert_equal_attrs(a, b),
            _ if self.equal(a, b, Pos::NONE)? => return Ok(()),
            _ => {}
        }
        let (shown_a, shown_b) = (shortened(self, a), shortened(self, b));
        let types = (type_name(self, a), type_name(self, b));
        let is_function =
            |value| matches!(value, Value::Lambda(..) | Value::PrimOp(_) | Value::PrimOpApp(..));
        Err(different(match (a, b) {
            (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => format!(
                "{} with value '{shown_a}' is not equal to {} with value '{shown_b}'",
                types.0, types.1
            ),
            (Value::Bool(_), Value::Bool(_)) => {
                format!("boolean '{shown_a}' is not equal to boolean '{shown_b}'")
            }
            (Value::Str(..), Value::Str(..)) => {
                format!("string '{shown_a}' is not equal to string '{shown_b}'")
            }
            (Value::Path(_), Value::Path(_)) => {
                format!("path '{shown_a}' is not equal to path '{shown_b}'")
            }
            _ if is_function(a) && is_function(b) => {
                "distinct functions and immediate comparisons of identical functions compare as unequal"
                    .to_owned()
            }
            _ => format!(
                "{} of value '{shown_a}' is not equal to {} of value '{shown_b}'",
                types.0, types.1
            ),
        }))
    }

    fn assert_equal_slots(&mut self, a: &'a Slot<'a>, b: &'a Slot<'a>) -> Result<()> {
        if self.equal_slots(a, b, Pos::NONE)? {
            return Ok(());
        }
        let a = self.force_slot(a, Pos::NONE)?;
        let b = self.force_slot(b, Pos::NONE)?;
        self.assert_equal(a, b)
    }

    fn assert_equal_lists(&mut self, a: List<'a>, b: List<'a>) -> Result<()> {
        self.check_stack()?;
        if a.len() != b.len() {
            let shown = (shortened(self, Value::List(a)), shortened(self, Value::List(b)));
            return Err(different(format!(
                "list of size '{}' is not equal to list of size '{}', left hand side is '{}', right hand side is '{}'",
                a.len(),
                b.len(),
                shown.0,
                shown.1
            )));
        }
        for (at, (a, b)) in a.items().iter().zip(b.items()).enumerate() {
            self.assert_equal_slots(a, b).map_err(|error| {
                error.while_(Pos::NONE, format!("while comparing list element {at}"))
            })?;
        }
        Ok(())
    }

    fn assert_equal_attrs(&mut self, a: Attrs<'a>, b: Attrs<'a>) -> Result<()> {
        self.check_stack()?;
        if self.is_derivation(a, Pos::NONE)?
            && self.is_derivation(b, Pos::NONE)?
            && let (Some(a), Some(b)) = (a.get(self.known.out_path), b.get(self.known.out_path))
        {
            let what = "while comparing a derivation by its 'outPath' attribute";
            return self.assert_equal_slots(a, b).map_err(|error| error.while_(Pos::NONE, what));
        }
        let (a, b) = (a.flat(self.arena), b.flat(self.arena));
        if a.len() != b.len() {
            let (a, b) = (shortened(self, Value::Attrs(a)), shortened(self, Value::Attrs(b)));
            return Err(different(format!(
                "attribute names of attribute set '{a}' differs from attribute set '{b}'"
            )));
        }
        for (left, right) in a.iter(self.arena).zip(b.iter(self.arena)) {
            if left.name != right.name {
                return Err(self.different_names(a, b, left.name, right.name));
            }
            self.assert_equal_slots(left.slot, right.slot).map_err(|mut error| {
                let sides = [
                    (right.pos, "where right hand side is"),
                    (left.pos, "where left hand side is"),
                ];
                for (pos, what) in sides {
                    if !pos.is_none() {
                        error = error.while_(pos, what);
                    }
                }
                let name = self.symbols.quoted(left.name);
                error.while_(Pos::NONE, format!("while comparing attribute '{name}'"))
            })?;
        }
        Ok(())
    }

    /// The error that two sets of as many attributes differ in names, which they have at the same
    /// place of their order.
    #[cold]
    fn different_names(
        &mut self,
        a: Attrs<'a>,
        b: Attrs<'a>,
        name_a: Symbol,
        name_b: Symbol,
    ) -> Error {
        let is_in_both = b.get(name_a).is_some();
        let (a, b) = (shortened(self, Value::Attrs(a)), shortened(self, Value::Attrs(b)));
        different(if is_in_both {
            let name = self.symbols.quoted(name_b);
            format!("attribute name '{name}' is missing in '{a}', but is contained in '{b}'")
        } else {
            let name = self.symbols.quoted(name_a);
            format!("attribute name '{name}' is contained in '{a}', but not in '{b}'")
        })
    }
}

#[cold]
fn different(message: String) -> Error {
    Error::new(ErrorKind::Assertion, Pos::NONE, message)
}

#[cfg(test)]
mod tests {
    use crate::eval::Eval;
    use crate::eval::arena::Arena;
    use crate::eval::io::MemoryIo;
    use crate::eval::position::Origin;
    use crate::eval::settings::Settings;

    /// The message of a failed program, and behind it the steps to it, the innermost first.
    fn failure(program: &str) -> Vec<String> {
        let (arena, io) = (Arena::new(), MemoryIo::new());
        let mut eval = Eval::new(&arena, &io, Settings::default());
        let error = eval.eval_string(program.as_bytes(), b"/", Origin::String).unwrap_err();
        let data = error.data();
        let traces = data.traces.innermost_first();
        let steps = traces.iter().map(|step| step.message.to_string());
        std::iter::once(data.message.to_string()).chain(steps).collect()
    }

    /// Recorded from Nix 2.34.8.
    const DIFFERENCES: &[(&str, &str)] = &[
        ("1 == 2", "an integer with value '1' is not equal to an integer with value '2'"),
        ("1 == 2.5", "an integer with value '1' is not equal to a float with value '2.5'"),
        ("1.5 == 2.5", "a float with value '1.5' is not equal to a float with value '2.5'"),
        ("true == false", "boolean 'true' is not equal to boolean 'false'"),
        (r#""a\n" == "b""#, r#"string '"a\n"' is not equal to string '"b"'"#),
        ("/a == /b", "path '/a' is not equal to path '/b'"),
        (r#"1 == "x""#, r#"an integer of value '1' is not equal to a string of value '"x"'"#),
        ("null == 1", "null of value 'null' is not equal to an integer of value '1'"),
        (
            "[ 1 2 ] == [ 1 ]",
            "list of size '2' is not equal to list of size '1', left hand side is '[ 1 2 ]', right hand side is '[ 1 ]'",
        ),
        (
            "{ a = 1; } == { b = 1; }",
            "attribute name 'a' is contained in '{ a = 1; }', but not in '{ b = 1; }'",
        ),
        (
            "{ a = 1; } == { a = 1; b = 2; }",
            "attribute names of attribute set '{ a = 1; }' differs from attribute set '{ a = 1; b = 2; }'",
        ),
        (
            "(x: x) == (x: x)",
            "distinct functions and immediate comparisons of identical functions compare as unequal",
        ),
    ];

    #[test]
    fn a_failed_equality_says_what_differs() {
        for (condition, message) in DIFFERENCES {
            let found = failure(&format!("assert {condition}; 1"));
            assert_eq!((found.len(), found[0].as_str()), (2, *message));
            assert!(found[1].starts_with("while evaluating the condition of the assertion '("));
        }
    }

    #[test]
    fn the_way_to_a_difference_is_told() {
        let found = failure("assert { a = [ 1 { b = 2; } ]; } == { a = [ 1 { b = 2.5; } ]; }; 1");
        let inner = "an integer with value '2' is not equal to a float with value '2.5'";
        assert_eq!(
            found[..8],
            [
                inner,
                "where right hand side is",
                "where left hand side is",
                "while comparing attribute 'b'",
                "while comparing list element 1",
                "where right hand side is",
                "where left hand side is",
                "while comparing attribute 'a'",
            ]
        );
        let derivation = |path| format!(r#"{{ type = "derivation"; outPath = "{path}"; }}"#);
        let found = failure(&format!("assert {} == {}; 1", derivation("a"), derivation("b")));
        assert_eq!(found[0], r#"string '"a"' is not equal to string '"b"'"#);
        assert_eq!(found[1], "while comparing a derivation by its 'outPath' attribute");
    }

    #[test]
    fn conditions_are_shown_as_nix_prints_expressions() {
        for (condition, shown) in [
            ("!(1 == 1)", "(! (1 == 1))"),
            ("let a = 1; in a != 1", "(let a = 1; in (a != 1))"),
            ("builtins.elem 1 [ ]", "((builtins).elem 1 [ ])"),
        ] {
            let expected = format!("assertion '{shown}' failed");
            assert_eq!(failure(&format!("assert {condition}; 1")), [expected]);
        }
        let found = failure("assert ./a == /b; 1");
        assert_eq!(found[1], "while evaluating the condition of the assertion '(/a == /b)'");
    }
}
