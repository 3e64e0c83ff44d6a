//! Derivations with generated attributes.

use super::Kind::{Bool, Int, List, Null, Set, Text};
use super::Programs;
use crate::lang_property::tree::{Part, Tree};

impl Programs {
    /// The paths of a derivation with generated attributes.
    pub(in crate::lang_property) fn derivation(&mut self) -> Tree {
        self.variables.clear();
        let mut parts: Vec<Part> = vec!["(let d = derivation { ".into()];
        let name = self.random.one_of(&["a", "x-1.0", "lib+2", "name_?=."]);
        parts.push(format!("name = \"{name}\"; system = \"s\"; builder = \"/\" + ").into());
        parts.extend([self.operand(&Text, 1).into(), "; ".into()]);
        if self.random.once_in(2) {
            let list = List(Box::new([Text, Int, Bool][self.random.below(3)].clone()));
            parts.extend(["args = ".into(), self.expr(&list, 2).into(), "; ".into()]);
        }
        let structured = self.random.once_in(3);
        if structured {
            parts.push("__structuredAttrs = true; ".into());
        }
        if self.random.once_in(4) {
            parts.push("__ignoreNulls = true; ".into());
        }
        match self.random.below(4) {
            0 => parts.push("outputs = [ \"out\" \"dev\" ]; ".into()),
            1 => parts.push("outputs = [ \"lib\" \"out\" \"bin\" ]; ".into()),
            2 => parts.push(self.fixed().into()),
            _ => {}
        }
        for at in 0..self.random.below(6) {
            let kind = match self.plain_kind(if structured { 2 } else { 1 }) {
                Set(_) if !structured => Null,
                List(inner) if !structured && matches!(*inner, Set(_)) => List(Box::new(Text)),
                kind => kind,
            };
            let name = ["v", "A_B", "with-dash", "x'"][self.random.below(4)];
            parts.extend([
                format!("{name}{at} = ").into(),
                self.expr(&kind, 3).into(),
                "; ".into(),
            ]);
        }
        parts.push("}; in [ d.drvPath d.outPath ])".into());
        Tree(parts)
    }

    fn fixed(&mut self) -> String {
        let algorithm = self.random.one_of(&["md5", "sha1", "sha256", "sha512"]);
        let mode = self.random.one_of(&["flat", "recursive", "nar"]);
        let text = self.random.next();
        format!(
            "outputHashAlgo = \"{algorithm}\"; outputHashMode = \"{mode}\"; \
             outputHash = builtins.hashString \"{algorithm}\" \"{text}\"; "
        )
    }
}
