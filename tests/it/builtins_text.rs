//! The builtins of strings, versions, contexts, JSON, XML, TOML and regular expressions. The expected texts
//! are what `nix-instantiate --eval --strict` of Nix 2.34.8 prints, and the messages it fails with.

use nixos_bootstrap::eval::arena::Arena;
use nixos_bootstrap::eval::io::MemoryIo;
use nixos_bootstrap::eval::position::Origin;
use nixos_bootstrap::eval::print::print;
use nixos_bootstrap::eval::settings::Settings;
use nixos_bootstrap::eval::{Eval, STACK_SIZE};

/// The printed value of a program, or what it fails with.
fn run(program: &str, io: &MemoryIo, settings: &Settings) -> Result<String, String> {
    let arena = Arena::new();
    let mut eval = Eval::new(&arena, io, settings.clone());
    let mut out = Vec::new();
    eval.eval_string(program.as_bytes(), b"/here", Origin::String)
        .and_then(|value| print(&mut eval, value, true, &mut out))
        .map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Runs all programs and compares each with what is expected of it.
fn check(cases: &'static [(&str, &str)], expected: fn(&str) -> Result<String, String>) {
    let all = std::thread::Builder::new().stack_size(STACK_SIZE).spawn(move || {
        let (io, settings) = (MemoryIo::new(), Settings::default());
        for (program, result) in cases {
            assert_eq!(run(program, &io, &settings), expected(result), "{program}");
        }
    });
    all.unwrap().join().unwrap();
}

fn prints(cases: &'static [(&str, &str)]) {
    check(cases, |value| Ok(value.to_owned()));
}

fn fails(cases: &'static [(&str, &str)]) {
    check(cases, |message| Err(message.to_owned()));
}

#[test]
fn environment() {
    let io = MemoryIo::new().var("HOME", "/home/me");
    let program = r#"map builtins.getEnv [ "HOME" "NOT_SET" "" ]"#;
    let impure = Settings::default();
    assert_eq!(run(program, &io, &impure).unwrap(), r#"[ "/home/me" "" "" ]"#);
    let pure = Settings { pure: true, ..Settings::default() };
    assert_eq!(run(program, &io, &pure).unwrap(), r#"[ "" "" "" ]"#);
}
