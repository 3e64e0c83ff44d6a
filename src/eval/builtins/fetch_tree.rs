//! Trees of files from anywhere: `fetchTree` and `fetchGit`.

use super::PrimOp;
use super::fetch::write_set;
use super::flake_refs::{at, input_value};
use super::input_urls::git_url;
use super::inputs::{
    Input, InputAttr, InputAttrs, InputError, Scheme, flag, number, require, text,
};
use crate::eval::Eval;
use crate::eval::coerce::Coercion;
use crate::eval::error::{Error, ErrorKind, Result};
use crate::eval::io::{Fetch, Level};
use crate::eval::position::Pos;
use crate::eval::print::type_name;
use crate::eval::store_state::Named;
use crate::eval::text::print::write_string;
use crate::eval::text::url::Url;
use crate::eval::value::{Attrs, AttrsBuilder, Value};
use crate::store::{CaMethod, ContentAddress, HashFormat, StorePath};

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "fetchGit", arity: 1, strict: 1, run: fetch_git },
    PrimOp { name: "fetchTree", arity: 1, strict: 1, run: fetch_tree },
];

fn fetch_git<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    Fetcher { builtin: "fetchGit", git: true, pos }.run(eval, args[0])
}

fn fetch_tree<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    Fetcher { builtin: "fetchTree", git: false, pos }.run(eval, args[0])
}

/// A call of one of the two.
struct Fetcher {
    builtin: &'static str,
    /// Is it `fetchGit`, which knows one type only?
    git: bool,
    pos: Pos,
}

impl Fetcher {
    fn run<'a>(&self, eval: &mut Eval<'a>, value: Value<'a>) -> Result<Value<'a>> {
        let (input, argument) = match value {
            Value::Attrs(set) => {
                let mut attrs = self.attributes(eval, set)?;
                let input = Input::from_attrs(attrs.clone(), &eval.settings.features);
                let input = input.map_err(at(self.pos))?;
                if self.git {
                    attrs.remove(&b"type"[..]);
                }
                let mut argument = Vec::new();
                write_set(&attrs, &mut argument);
                (input, argument)
            }
            other => self.reference(eval, other)?,
        };
        self.check(eval, &input)?;
        if let Some(path) = self.known_path(eval, &input)? {
            return self.tree(eval, &input, &path);
        }
        if input.scheme == Some(Scheme::Path)
            && let Some(tree) = self.local(eval, &input)?
        {
            return Ok(tree);
        }
        eval.fetch(Fetch { builtin: self.builtin, argument }, self.pos)
    }

    /// The argument as a set.
    fn attributes<'a>(&self, eval: &mut Eval<'a>, set: Attrs<'a>) -> Result<InputAttrs> {
        let mut attrs = InputAttrs::new();
        let kind = match set.get_attr(eval.known.type_) {
            Some(_) if self.git => return Err(self.error("unexpected argument 'type'")),
            Some(attr) => {
                let what = "while evaluating the `type` argument passed to 'fetchTree'";
                let value = Value::Ref(attr.slot);
                eval.force_string_no_context(value, attr.pos, what)?.items().to_vec()
            }
            None if self.git => b"git".to_vec(),
            None => {
                let message = format!("argument 'type' is missing in call to '{}'", self.builtin);
                return Err(self.error(message));
            }
        };
        for attr in set.iter(eval.arena) {
            if attr.name == eval.known.type_ {
                continue;
            }
            let name = eval.symbols.name(attr.name).to_vec();
            let value = eval.force(Value::Ref(attr.slot), attr.pos)?;
            let value = self.attribute(eval, &name, value)?;
            attrs.insert(name, value);
        }
        let submodules = flag(&attrs, "submodules").map_err(at(self.pos))? == Some(true);
        if self.git && !submodules {
            attrs.entry(b"exportIgnore".to_vec()).or_insert(InputAttr::Bool(true));
        }
        if !self.git && kind == b"git" {
            attrs.entry(b"shallow".to_vec()).or_insert(InputAttr::Bool(true));
        }
        if !self.git && attrs.contains_key(&b"name"[..]) {
            let message = format!("argument 'name' isn’t supported in call to '{}'", self.builtin);
            return Err(self.error(message));
        }
        attrs.insert(b"type".to_vec(), InputAttr::Text(kind));
        Ok(attrs)
    }

    fn attribute<'a>(
        &self,
        eval: &mut Eval<'a>,
        name: &[u8],
        value: Value<'a>,
    ) -> Result<InputAttr> {
        let shown = String::from_utf8_lossy(name);
        match value {
            Value::Str(_, text) | Value::Path(text) if self.git && name == b"url" => {
                let url = git_url(text.items()).map_err(at(self.pos))?;
                Ok(InputAttr::Text(url.to_bytes()))
            }
            Value::Str(_, text) | Value::Path(text) => Ok(InputAttr::Text(text.items().to_vec())),
            Value::Bool(value) => Ok(InputAttr::Bool(value)),
            Value::Int(value) => u64::try_from(value).map(InputAttr::Number).map_err(|_| {
                let builtin = self.builtin;
                self.error(format!(
                    "negative value given for '{builtin}' argument '{shown}': {value}"
                ))
            }),
            _ if name == b"publicKeys" => {
                require(false, "verified-fetches").map_err(at(self.pos))?;
                Ok(InputAttr::Bool(true))
            }
            other => {
                let message = format!(
                    "argument '{shown}' to '{}' is {} while a string, Boolean or integer is expected",
                    self.builtin,
                    type_name(eval, other)
                );
                Err(Error::type_error(self.pos, message))
            }
        }
    }

    /// The argument as a URL.
    fn reference<'a>(&self, eval: &mut Eval<'a>, value: Value<'a>) -> Result<(Input, Vec<u8>)> {
        let what = if self.git {
            "while evaluating the first argument passed to 'fetchGit'"
        } else {
            "while evaluating the first argument passed to 'fetchTree'"
        };
        let (reference, _) = eval.coerce(value, Pos::NONE, Coercion::PLAIN, what)?;
        let reference = reference.items();
        let features = eval.settings.features;
        let mut argument = Vec::new();
        write_string(&mut argument, reference);
        if self.git {
            let url = git_url(reference).map_err(at(self.pos))?.to_bytes();
            let attrs = InputAttrs::from([
                (b"type".to_vec(), InputAttr::Text(b"git".to_vec())),
                (b"url".to_vec(), InputAttr::Text(url)),
                (b"exportIgnore".to_vec(), InputAttr::Bool(true)),
            ]);
            let input = Input::from_attrs(attrs, &features).map_err(at(self.pos))?;
            return Ok((input, argument));
        }
        if !features.flakes {
            let message = "passing a string argument to 'fetchTree' requires the 'flakes' experimental feature";
            return Err(self.error(message));
        }
        let url = Url::parse(reference, false);
        let input = url.map_err(Into::into).and_then(|url| Input::from_url(&url, &features));
        Ok((input.map_err(at(self.pos))?, argument))
    }

    /// Pure evaluation fetches only what can't be something else another time.
    fn check(&self, eval: &Eval<'_>, input: &Input) -> Result<()> {
        let failed = at(self.pos);
        let shown = input.to_url().map_err(&failed)?;
        if eval.settings.pure && !input.is_locked().map_err(&failed)? {
            if input.nar_hash().map_err(&failed)?.is_none() {
                let message = format!(
                    "in pure evaluation mode, '{}' doesn't fetch unlocked input '{shown}'",
                    self.builtin
                );
                return Err(Error::new(ErrorKind::Restricted, self.pos, message));
            }
            let message = format!(
                "Input '{shown}' is unlocked (e.g. lacks a Git revision) but is checked by NAR hash. This is not reproducible and will break after garbage collection or when shared."
            );
            eval.io.message(Level::Remark, message.as_bytes());
        }
        if flag(&input.attrs, "__final").map_err(&failed)? == Some(true) {
            let message = format!("input '{shown}' is not allowed to use the '__final' attribute");
            return Err(self.error(message));
        }
        Ok(())
    }

    /// Where it is in the store, if its attributes tell that and all that the result says. What else a
    /// fetcher finds out (the date of a commit, say) is not in the store.
    fn known_path(&self, eval: &Eval<'_>, input: &Input) -> Result<Option<StorePath>> {
        let failed = at(self.pos);
        let Some(hash) = input.nar_hash().map_err(&failed)? else { return Ok(None) };
        let given = |name: &str| input.attrs.contains_key(name.as_bytes());
        let shallow = flag(&input.attrs, "shallow").map_err(&failed)? == Some(true);
        let complete = match input.scheme {
            Some(Scheme::File) => true,
            Some(Scheme::Tarball) => given("lastModified"),
            Some(Scheme::Forge) => given("rev") && given("lastModified"),
            Some(Scheme::Git) => {
                given("rev") && given("lastModified") && (shallow || given("revCount"))
            }
            Some(Scheme::Mercurial) => given("rev") && given("revCount"),
            Some(Scheme::Indirect | Scheme::Path) | None => false,
        };
        if !complete {
            return Ok(None);
        }
        let name = text(&input.attrs, "name").map_err(&failed)?.unwrap_or(b"source");
        eval.find_in_store(name, ContentAddress { method: CaMethod::Nar, hash }, self.pos)
    }

    /// A folder of this machine. `None` if nobody said when it was changed last, which the evaluator
    /// cannot see.
    fn local<'a>(&self, eval: &mut Eval<'a>, input: &Input) -> Result<Option<Value<'a>>> {
        let failed = at(self.pos);
        let source = text(&input.attrs, "path").map_err(&failed)?.unwrap_or_default().to_vec();
        if !source.starts_with(b"/") {
            let url = input.to_url().map_err(&failed)?;
            let message = format!("cannot fetch input '{url}' because it uses a relative path");
            let error = Error::new(ErrorKind::Io, self.pos, message);
            return Err(error.while_(Pos::NONE, format!("while fetching the input '{url}'")));
        }
        if number(&input.attrs, "lastModified").map_err(&failed)?.is_none() {
            return Ok(None);
        }
        let root = crate::eval::text::path::canonical(&source);
        let path = eval.hash_tree(&root, Named::new(b"source"), None, self.pos)?;
        let Some(hash) = eval.store.source(&path).map(|source| source.address.hash) else {
            return Err(self.error("the tree that was hashed is not known any more"));
        };
        let mut input = input.clone();
        let actual = hash.to_text(HashFormat::Sri, true);
        if let Some(expected) = input.nar_hash().map_err(&failed)?
            && expected != hash
        {
            // Nix has the two in this order.
            let message = format!(
                "NAR hash mismatch in input '{}', expected '{actual}' but got '{}'",
                input.to_url().map_err(&failed)?,
                expected.to_text(HashFormat::Sri, true)
            );
            return Err(self.error(message));
        }
        input.attrs.insert(b"narHash".to_vec(), InputAttr::Text(actual.into_bytes()));
        self.tree(eval, &input, &path).map(Some)
    }

    /// The result for a tree in the store.
    fn tree<'a>(&self, eval: &mut Eval<'a>, input: &Input, path: &StorePath) -> Result<Value<'a>> {
        let facts = TreeFacts { path, input, no_commit: self.git, pos: self.pos };
        tree_attrs(eval, &facts).map_err(at(self.pos))
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error::evaluation(self.pos, message)
    }
}

/// A tree of files, and what is told of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TreeFacts<'t> {
    /// Where it is in the store.
    pub(crate) path: &'t StorePath,
    /// What it was fetched as.
    pub(crate) input: &'t Input,
    /// Is a tree without a commit said to have no history? So does `fetchGit`.
    pub(crate) no_commit: bool,
    /// Where the attributes are defined.
    pub(crate) pos: Pos,
}

/// What fetchers return for a tree in the store. From now on it may be read.
///
/// # Errors
///
/// If attributes of the input are of the wrong type.
pub(crate) fn tree_attrs<'a>(
    eval: &mut Eval<'a>,
    tree: &TreeFacts<'_>,
) -> std::result::Result<Value<'a>, InputError> {
    let TreeFacts { path, input, no_commit, pos } = *tree;
    let mut set = AttrsBuilder::with_capacity(10);
    let mut add = |eval: &mut Eval<'a>, name: &str, value| {
        let name = eval.symbols.intern(name.as_bytes());
        set.add_at(name, pos, value);
    };
    let out_path = eval.fetched_path(path);
    add(eval, "outPath", out_path);
    if let Some(hash) = input.nar_hash()? {
        let text = eval.string(hash.to_text(HashFormat::Sri, true).as_bytes());
        add(eval, "narHash", text);
    }
    if input.scheme == Some(Scheme::Git) {
        let submodules = flag(&input.attrs, "submodules")?;
        add(eval, "submodules", Value::Bool(submodules.unwrap_or(false)));
    }
    if let Some(rev) = input.rev()? {
        let short = eval.string(rev.as_bytes().get(..7).unwrap_or_default());
        let rev = eval.string(rev.as_bytes());
        add(eval, "rev", rev);
        add(eval, "shortRev", short);
    }
    match input.attrs.get(&b"revCount"[..]) {
        Some(count) => {
            let count = input_value(eval, count);
            add(eval, "revCount", count);
        }
        None if no_commit => add(eval, "revCount", Value::Int(0)),
        None => {}
    }
    for name in ["dirtyRev", "dirtyShortRev"] {
        if let Some(text) = text(&input.attrs, name)? {
            let text = eval.string(text);
            add(eval, name, text);
        }
    }
    if let Some(time) = number(&input.attrs, "lastModified")? {
        let date = eval.string(date(time).as_bytes());
        add(eval, "lastModified", Value::Int(time.cast_signed()));
        add(eval, "lastModifiedDate", date);
    }
    Ok(Value::Attrs(set.build(eval.arena)))
}

/// Seconds since 1970 as `20240131235959`, in UTC.
fn date(time: u64) -> String {
    const DAY: u64 = 24 * 60 * 60;
    let (days, second) = (time / DAY, time % DAY);
    // The calendar repeats every 400 years; years are counted from March, so that a leap day is the
    // last of its year.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + next;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (time, expected) in [
            (0, "19700101000000"),
            (951_782_399, "20000228235959"),
            (951_782_400, "20000229000000"),
            (951_868_800, "20000301000000"),
            (1_795_524_427, "20261124124707"),
            (4_107_542_400, "21000301000000"),
        ] {
            assert_eq!(date(time), expected);
        }
    }
}
