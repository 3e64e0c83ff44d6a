//! What is parsed ahead is what would have been parsed.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::*;
use crate::eval::arena::Arena;
use crate::eval::io::RealIo;
use crate::eval::position::{Origin, Pos};
use crate::eval::settings::Settings;
use crate::eval::{Coercion, Eval};

/// The value of `expression` in `dir`, or the message of its error, and all names in their order.
fn evaluated(dir: &Path, expression: &str, parse_ahead: Option<usize>) -> (String, Vec<Vec<u8>>) {
    let (arena, io) = (Arena::new(), RealIo::new());
    let mut eval = Eval::new(&arena, &io, Settings { parse_ahead, ..Settings::default() });
    let dir = dir.as_os_str().as_bytes();
    let result = eval
        .eval_string(expression.as_bytes(), dir, Origin::String)
        .and_then(|value| eval.coerce(value, Pos::NONE, Coercion::PLAIN, ""));
    let shown = match result {
        Ok((text, _)) => String::from_utf8_lossy(text.items()).into_owned(),
        Err(error) => format!("{:?} {}", error.kind(), error.data().message),
    };
    // From the first file on, or from the one that lists many others.
    let begins = parse_ahead.is_some_and(|from| from == 0 || expression.contains("list.nix"));
    assert_eq!(eval.ahead.get().is_some_and(Option::is_some), begins);
    (shown, eval.symbols.names_from(0).map(<[u8]>::to_vec).collect())
}

#[test]
fn values_errors_and_the_order_of_names_are_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let list: Vec<_> = (0..200).map(|n| format!("./m{n}.nix")).collect();
    write("list.nix", &format!("[ {} ]", list.join(" ")));
    for n in 0..200 {
        let text = format!("{{ n{n}, common, ... }}: {{ b{n} = common; a{n} = n{n}; }}");
        write(&format!("m{n}.nix"), &text);
    }
    write("m77.nix", "{ a, ... }: { z = 1; inherit (a) y }");
    fs::create_dir(dir.path().join("sub")).unwrap();
    write("sub/default.nix", "{ zz = 1; aa = throw \"aa\"; inherit (import ../m3.nix) x; }");
    for expression in [
        "toString (map (f: builtins.attrNames (builtins.functionArgs (import f))) (builtins.filter (f: baseNameOf f != \"m77.nix\") (import ./list.nix)))",
        "toString (map (f: builtins.attrNames (builtins.functionArgs (import f))) (import ./list.nix))",
        "builtins.deepSeq (import ./sub) \"\"",
    ] {
        let here = evaluated(dir.path(), expression, None);
        for from in [0, usize::MAX] {
            assert_eq!(evaluated(dir.path(), expression, Some(from)), here, "{expression} {from}");
        }
    }
}

#[test]
fn what_a_file_leads_to_is_ready_before_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name).as_os_str().as_bytes().to_vec();
    fs::write(dir.path().join("a.nix"), "{ imports = [ ./b.nix ./broken.nix ]; }").unwrap();
    fs::write(dir.path().join("b.nix"), "1").unwrap();
    fs::write(dir.path().join("broken.nix"), "{").unwrap();
    let ahead = Ahead::start(Features::default()).unwrap();
    let files = ["./a.nix", "./gone.nix"].map(|name| name.as_bytes().into()).to_vec();
    ahead.tell(&place("root.nix"), Leads { files, ..Leads::default() });
    ahead.shared.settle();
    assert_eq!(ahead.take(&place("b.nix")).map(|ready| ready.text.to_vec()), Some(b"1".to_vec()));
    assert!(ahead.take(&place("a.nix")).is_some());
    for nothing in ["a.nix", "broken.nix", "gone.nix", "other.nix"] {
        assert!(ahead.take(&place(nothing)).is_none(), "{nothing}");
    }
}
