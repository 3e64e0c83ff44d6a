//! Attributes picked from outside of a program: `-A a.b."c.d".0`, with functions on the way called with
//! the arguments of `--arg` (nix-instantiate(1)).

use std::cell::Cell;

use super::Eval;
use super::error::{Error, ErrorKind, Result};
use super::position::{Origin, Pos};
use super::print::type_name;
use super::text::near_names;
use super::text::shown;
use super::value::{Attrs, AttrsBuilder, Value};

impl<'a> Eval<'a> {
    /// A value that is what `text` evaluates to, once it is wanted. Relative paths in it start at `dir`.
    ///
    /// # Errors
    ///
    /// If `text` is no expression.
    pub fn delayed(&mut self, text: &[u8], dir: &[u8], origin: Origin) -> Result<Value<'a>> {
        let root = self.parse_text(text.to_vec(), dir, origin, None)?;
        let slot = self.arena.alloc(Cell::new(Value::Thunk(root, self.no_variables)));
        Ok(Value::Ref(slot))
    }

    /// The attribute or element at `path`, forced. A function on the way is called as
    /// [`Eval::call_with`] does; what the path leads to is not called.
    ///
    /// # Errors
    ///
    /// If the path is malformed or leads nowhere, and what evaluating fails with.
    pub fn pick(&mut self, value: Value<'a>, path: &[u8], args: Attrs<'a>) -> Result<Value<'a>> {
        let mut value = self.force(value, Pos::NONE)?;
        for name in names(path)? {
            let from = self.call_with(value, args)?;
            let found = match index(&name) {
                Some(index) => self.select_index(from, index, path)?,
                None => self.select_name(from, &name, path)?,
            };
            value = self.force(found, Pos::NONE)?;
        }
        Ok(value)
    }

    fn select_index(&self, from: Value<'a>, index: usize, path: &[u8]) -> Result<Value<'a>> {
        let Value::List(list) = from else { return Err(self.wrong_base(from, "a list", path)) };
        list.items().get(index).map(Value::Ref).ok_or_else(|| {
            let path = shown(path);
            let message = format!("list index {index} in selection path '{path}' is out of range");
            Error::new(ErrorKind::MissingAttribute, Pos::NONE, message)
        })
    }

    fn select_name(&mut self, from: Value<'a>, name: &[u8], path: &[u8]) -> Result<Value<'a>> {
        let Value::Attrs(attrs) = from else { return Err(self.wrong_base(from, "a set", path)) };
        if name.is_empty() {
            let message = format!("empty attribute name in selection path '{}'", shown(path));
            return Err(Error::evaluation(Pos::NONE, message));
        }
        let symbol = self.symbols.intern(name);
        if let Some(slot) = attrs.get(symbol) {
            return Ok(Value::Ref(slot));
        }
        let (name_text, path) = (shown(name), shown(path));
        let message = format!("attribute '{name_text}' in selection path '{path}' not found");
        let all: Vec<_> = attrs.sorted(self.arena, &self.symbols).map(|attr| attr.name).collect();
        let near = near_names(name, all.iter().map(|&name| self.symbols.name(name)));
        Err(Error::new(ErrorKind::MissingAttribute, Pos::NONE, message).suggesting(near))
    }

    fn wrong_base(&self, from: Value<'a>, wanted: &str, path: &[u8]) -> Error {
        let (path, found) = (shown(path), type_name(self, from));
        let message = format!(
            "the expression selected by the selection path '{path}' should be {wanted} but is {found}"
        );
        Error::type_error(Pos::NONE, message)
    }

    /// What `value` gives if it is called with those of `args` that it takes, where it is a function that
    /// takes a set or a functor that gives one; else the value itself.
    ///
    /// # Errors
    ///
    /// If an argument is missing that has no default, and what evaluating fails with.
    pub fn call_with(&mut self, value: Value<'a>, args: Attrs<'a>) -> Result<Value<'a>> {
        let mut function = self.force(value, Pos::NONE)?;
        while let Value::Attrs(attrs) = function
            && let Some(functor) = attrs.get(self.known.functor)
        {
            self.check_stack()?;
            function = self.call(Value::Ref(functor), &[function], Pos::NONE)?;
        }
        let Value::Lambda(id, _) = function else { return Ok(function) };
        let lambda = *self.lambda(id);
        let Some(pattern) = lambda.pattern else { return Ok(function) };
        let argument = if pattern.ellipsis {
            args
        } else {
            let mut given = AttrsBuilder::default();
            for formal in self.formals(id).to_vec() {
                match args.get_attr(formal.name) {
                    Some(attr) => given.add_attr(attr),
                    None if formal.default.is_some() => {}
                    None => {
                        let name = self.symbols.text(formal.name);
                        return Err(Error::type_error(formal.pos, missing_argument(&name)));
                    }
                }
            }
            given.build(self.arena)
        };
        self.call(function, &[Value::Attrs(argument)], lambda.pos)
    }
}

fn missing_argument(name: &str) -> String {
    format!(
        "cannot evaluate a function that has an argument without a value ('{name}')\n\
         Nix attempted to evaluate a function as a top level expression; in\n\
         this case it must have its arguments supplied either by default\n\
         values, or passed explicitly with '--arg' or '--argstr'. See\n\
         https://nix.dev/manual/nix/stable/language/syntax.html#functions."
    )
}

/// The names in a path: separated by dots, those in quotes may have dots themselves.
pub(crate) fn names(path: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    let mut name = Vec::new();
    let mut quoted = false;
    for &byte in path {
        match byte {
            b'"' => quoted = !quoted,
            b'.' if !quoted => names.push(std::mem::take(&mut name)),
            _ => name.push(byte),
        }
    }
    if quoted {
        let message = format!("missing closing quote in selection path '{}'", shown(path));
        return Err(Error::new(ErrorKind::Parse, Pos::NONE, message));
    }
    if !name.is_empty() {
        names.push(name);
    }
    Ok(names)
}

/// The index in a list that a name means, if it is a number.
fn index(name: &[u8]) -> Option<usize> {
    let number: u32 = std::str::from_utf8(name).ok()?.parse().ok()?;
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::arena::Arena;
    use crate::eval::io::MemoryIo;
    use crate::eval::print::print;
    use crate::eval::settings::Settings;

    /// What `path` leads to in `program`, called with `args`, as it is printed; or the error.
    fn picked(program: &str, path: &str, args: &[(&str, &str)]) -> String {
        let (arena, io) = (Arena::new(), MemoryIo::new());
        let mut eval = Eval::new(&arena, &io, Settings::default());
        let mut run = || {
            let mut builder = AttrsBuilder::default();
            for (name, text) in args {
                let value = eval.delayed(text.as_bytes(), b"/", Origin::String)?;
                let name = eval.symbols.intern(name.as_bytes());
                builder.add(name, value);
            }
            let args = builder.build(&arena);
            let value = eval.eval_string(program.as_bytes(), b"/", Origin::String)?;
            let value = eval.pick(value, path.as_bytes(), args)?;
            let value = if args.is_empty() { value } else { eval.call_with(value, args)? };
            let mut out = Vec::new();
            print(&mut eval, value, true, &mut out)?;
            Ok::<_, Error>(String::from_utf8(out).unwrap())
        };
        run().unwrap_or_else(|error| error.to_string())
    }

    /// Expected texts are those of nix-instantiate 2.34.8.
    #[test]
    fn paths_lead_through_sets_and_lists() {
        let program = "{ a.b = [ 1 { c = 5; \"d.e\" = 6; } ]; }";
        assert_eq!(picked(program, "a.b.1.c", &[]), "5");
        assert_eq!(picked(program, "a.b.1.\"d.e\"", &[]), "6");
        assert_eq!(picked("1", "", &[]), "1");
        for (path, error) in [
            ("a.c", "attribute 'c' in selection path 'a.c' not found"),
            ("a.b.2", "list index 2 in selection path 'a.b.2' is out of range"),
            (
                "a.0",
                "the expression selected by the selection path 'a.0' should be a list but is a set",
            ),
            (
                "a.b.c",
                "the expression selected by the selection path 'a.b.c' should be a set but is a list",
            ),
            ("a..b", "empty attribute name in selection path 'a..b'"),
            ("a.\"b", "missing closing quote in selection path 'a.\"b'"),
        ] {
            assert_eq!(picked(program, path, &[]), error);
        }
    }

    #[test]
    fn functions_on_the_way_are_called() {
        assert_eq!(picked("{ a ? 5, ... }: { x = a; }", "x", &[]), "5");
        assert_eq!(picked("{ a ? 5, ... }: { x = a; }", "", &[]), "<LAMBDA>");
        assert_eq!(picked("{ a }: { x = { b }: a + b; }", "x", &[("a", "1"), ("b", "2")]), "3");
        assert_eq!(picked("{ __functor = s: { a ? 1 }: a; }", "", &[("b", "1 + null")]), "1");
        assert_eq!(picked("x: x", "", &[("x", "1")]), "<LAMBDA>");
        let missing = picked("{ a, b ? 1 }: { x = a; }", "x", &[]);
        assert!(
            missing.starts_with(
                "cannot evaluate a function that has an argument without a value ('a')\n"
            ),
            "{missing}"
        );
        assert_eq!(
            picked("{ a, ... }: 1", "", &[("b", "2")]),
            "function 'anonymous lambda' called without required argument 'a'"
        );
    }
}
