//! Expressions as C++ Nix prints them, in messages and for `nix-instantiate --parse`: with all parentheses,
//! attributes in the order of their names.

use crate::eval::text::path::join;
use crate::eval::text::{number, print as text};
use crate::syntax::{
    Ast, AttrDef, AttrKind, AttrName, AttrSet, BinOp, Expr, ExprId, Lambda, Range, Symbol, Symbols,
};

/// Where paths that are not absolute start from.
#[derive(Debug, Clone, Copy)]
pub struct Folders<'f> {
    /// The folder of the source.
    pub here: &'f [u8],
    /// What `~` stands for.
    pub home: &'f [u8],
}

/// The expression `id` as text.
#[must_use]
pub fn print_expr(ast: &Ast, id: ExprId, symbols: &Symbols, folders: Folders<'_>) -> Vec<u8> {
    let mut printer = Printer { ast, symbols, folders, out: Vec::new() };
    printer.expr(id);
    printer.out
}

struct Printer<'p> {
    ast: &'p Ast,
    symbols: &'p Symbols,
    folders: Folders<'p>,
    out: Vec<u8>,
}

impl Printer<'_> {
    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn name(&mut self, name: Symbol) {
        text::write_attr_name(&mut self.out, self.symbols.name(name));
    }

    /// `before a between b after`
    fn all(&mut self, before: &str, ids: &[ExprId], between: &str, after: &str) {
        self.put(before);
        for (number, id) in ids.iter().enumerate() {
            if number > 0 {
                self.put(between);
            }
            self.expr(*id);
        }
        self.put(after);
    }

    fn expr(&mut self, id: ExprId) {
        let ast = self.ast;
        match ast.expr(id) {
            Expr::Int(value) => number::write_int(&mut self.out, value),
            Expr::Float(value) => number::write_float(&mut self.out, value),
            Expr::Str(bytes) => text::write_string(&mut self.out, ast.text(bytes)),
            Expr::Path(written) => self.path(ast.text(written)),
            Expr::HomePath(written) => {
                self.out.extend_from_slice(self.folders.home);
                let below = ast.text(written);
                self.out.extend_from_slice(below.strip_prefix(b"~").unwrap_or(below));
            }
            Expr::Var(name) => self.name(name),
            Expr::CurPos => self.put("__curPos"),
            Expr::Select { base, path } => {
                self.all("(", &[base], "", ").");
                self.attr_path(path);
            }
            Expr::SelectOr { select, default } => self.all("", &[select, default], " or (", ")"),
            Expr::HasAttr { base, path } => {
                self.all("((", &[base], "", ") ? ");
                self.attr_path(path);
                self.put(")");
            }
            Expr::Attrs(set) => {
                let set = ast.attrs(set);
                self.put(if set.recursive { "rec { " } else { "{ " });
                self.bindings(set);
                self.put("}");
            }
            Expr::List(items) => {
                self.put("[ ");
                for item in ast.ids(items) {
                    self.all("(", &[*item], "", ") ");
                }
                self.put("]");
            }
            Expr::Lambda(lambda) => self.lambda(&ast.lambda(lambda)),
            Expr::Call { function, args } => {
                self.all("(", &[function], "", " ");
                self.all("", ast.ids(args), " ", ")");
            }
            Expr::Let { bindings, body } => {
                self.put("(let ");
                self.bindings(ast.attrs(bindings));
                self.all("in ", &[body], "", ")");
            }
            Expr::With { scope, body } => self.all("(with ", &[scope, body], "; ", ")"),
            Expr::If { condition, branches } => {
                self.all("(if ", &[condition], "", " then ");
                self.all("", ast.ids(branches), " else ", ")");
            }
            Expr::Assert { condition, body } => self.all("assert ", &[condition, body], "; ", ""),
            Expr::Not(operand) => self.all("(! ", &[operand], "", ")"),
            Expr::Binary { op, operands } => self.all("(", ast.ids(operands), sign(op), ")"),
            Expr::Concat { parts, .. } => self.all("(", ast.ids(parts), " + ", ")"),
            // Only within bindings, which print what it stands for.
            Expr::InheritFrom(_) => {}
        }
    }

    /// C++ Nix keeps the slash at the end of a path literal, which only a literal with more behind it has.
    fn path(&mut self, written: &[u8]) {
        self.out.extend_from_slice(&join(self.folders.here, written));
        if written.len() > 1 && written.ends_with(b"/") {
            self.put("/");
        }
    }

    fn attr_path(&mut self, path: Range) {
        for (number, name) in self.ast.attr_path(path).iter().enumerate() {
            if number > 0 {
                self.put(".");
            }
            match *name {
                AttrName::Static(symbol) => self.name(symbol),
                AttrName::Dynamic(expr) => self.all("\"${", &[expr], "", "}\""),
            }
        }
    }

    fn bindings(&mut self, set: AttrSet<'_>) {
        let mut sorted = set.attrs.to_vec();
        sorted.sort_by_key(|def| self.symbols.name(def.name));
        let plainly = sorted.iter().filter(|def| def.kind == AttrKind::Inherited);
        self.inherited("inherit", &plainly.copied().collect::<Vec<_>>());
        for (number, from) in (0..).zip(set.inherit_from) {
            let from_here = sorted.iter().filter(|def| self.is_from(def, number));
            let from_here: Vec<_> = from_here.copied().collect();
            if !from_here.is_empty() {
                self.all("inherit (", &[*from], "", "");
                self.inherited(")", &from_here);
            }
        }
        for def in sorted.iter().filter(|def| def.kind == AttrKind::Plain) {
            self.name(def.name);
            self.all(" = ", &[def.value], "", "; ");
        }
        for dynamic in set.dynamic {
            self.all("\"${", &[dynamic.name], "", "}\"");
            self.all(" = ", &[dynamic.value], "", "; ");
        }
    }

    /// Is the attribute one of the `number`th `inherit (set)`?
    fn is_from(&self, def: &AttrDef, number: u32) -> bool {
        let Expr::Select { base, .. } = self.ast.expr(def.value) else { return false };
        def.kind == AttrKind::InheritedFrom && self.ast.expr(base) == Expr::InheritFrom(number)
    }

    fn inherited(&mut self, before: &str, defs: &[AttrDef]) {
        if defs.is_empty() {
            return;
        }
        self.put(before);
        for def in defs {
            self.put(" ");
            self.name(def.name);
        }
        self.put("; ");
    }

    fn lambda(&mut self, lambda: &Lambda<'_>) {
        self.put("(");
        if let Some(formals) = &lambda.formals {
            self.put("{ ");
            let mut sorted = formals.formals.to_vec();
            sorted.sort_by_key(|formal| self.symbols.name(formal.name));
            for (number, formal) in sorted.iter().enumerate() {
                if number > 0 {
                    self.put(", ");
                }
                self.name(formal.name);
                if let Some(default) = formal.default {
                    self.all(" ? ", &[default], "", "");
                }
            }
            if formals.ellipsis {
                self.put(if sorted.is_empty() { "..." } else { ", ..." });
            }
            self.put(if lambda.arg.is_some() { " } @ " } else { " }" });
        }
        if let Some(arg) = lambda.arg {
            self.name(arg);
        }
        self.all(": ", &[lambda.body], "", ")");
    }
}

fn sign(op: BinOp) -> &'static str {
    match op {
        BinOp::Equal => " == ",
        BinOp::NotEqual => " != ",
        BinOp::And => " && ",
        BinOp::Or => " || ",
        BinOp::Implies => " -> ",
        BinOp::Update => " // ",
        BinOp::Append => " ++ ",
    }
}
