//! Where an evaluation makes much, it is written while it goes on.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use nixos_bootstrap::eval::Eval;
use nixos_bootstrap::eval::arena::Arena;
use nixos_bootstrap::eval::io::RealIo;
use nixos_bootstrap::eval::position::Origin;
use nixos_bootstrap::eval::settings::Settings;
use nixos_bootstrap::instantiate::EarlyWriter;
use nixos_bootstrap::process::RealRunner;
use nixos_bootstrap::store::StorePath;

use super::host::real_store;
use super::{PRELUDE, Store, same, sources};

/// A chain of derivations, each with a text of its own.
const CHAIN: &str = r#"
    builtins.foldl'
      (before: n:
        let p = d "p${n}" {
          inherit before text;
          src = ./src;
          file = builtins.toFile "f" n;
        };
        in builtins.seq p.drvPath p)
      two
      (builtins.genList toString 300)
"#;

#[test]
fn stores_get_the_same_however_much_it_is() {
    let program = format!("{PRELUDE} in {CHAIN}");
    same(&["-E", &program], sources().path()).unwrap();
}

/// Evaluates the chain in `dir`, has it written meanwhile, and the rest after it. Says what the store had before that,
/// and how much was the rest. The store does `first` before it starts.
fn write_chain(
    store: &Store,
    dir: &Path,
    first: &str,
    meanwhile: impl FnOnce(),
) -> (usize, Result<usize, String>) {
    let real = Arc::new(real_store(store, Arc::new(RealRunner::default()), first));
    let io: &'static RealIo = Box::leak(Box::new(RealIo::new()));
    let arena = Arena::new();
    let mut eval = Eval::new(&arena, io, Settings::default());
    let early = EarlyWriter::start(real.clone(), &mut eval.store, io).unwrap();
    let program = format!("({PRELUDE} in {CHAIN}) {{ }}");
    let dir = dir.as_os_str().as_bytes();
    let whole = eval.eval_string(program.as_bytes(), dir, Origin::String).unwrap();
    let found = eval.derivations(whole, eval.empty_attrs()).unwrap();
    meanwhile();
    early.finish(&mut eval.store);
    let before = store.contents().len();
    let roots: Vec<StorePath> = found.into_iter().map(|found| found.path).collect();
    let written = real.write(&eval.store, eval.io, &roots);
    (before, written.map(|written| written.new).map_err(|error| error.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn most_is_written_before_the_end_and_the_rest_then() {
    let Some(store) = Store::new() else { return };
    let test = move || {
        let dir = sources();
        // 603 objects and their sources, of which the last batch is not full.
        let (before, rest) = write_chain(&store, dir.path(), "", || {});
        assert!(before >= 512, "{before}");
        assert_eq!(before + rest.unwrap(), store.contents().len());
        store.verify();
        let (before, rest) = write_chain(&store, dir.path(), "", || {});
        assert_eq!((before, rest), (store.contents().len(), Ok(0)));
    };
    tokio::task::spawn_blocking(test).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_thread_can_t_write_is_told_at_the_end() {
    let Some(store) = Store::new() else { return };
    let test = move || {
        let dir = sources();
        // The store waits until the source is another one.
        let go = store.path().join("go");
        let wait = format!("until [ -e '{}' ]; do sleep 0.05; done", go.display());
        let change = || {
            std::fs::write(dir.path().join("src/plain"), "changed").unwrap();
            std::fs::write(&go, "").unwrap();
        };
        let (_, rest) = write_chain(&store, dir.path(), &wait, change);
        let told = rest.unwrap_err();
        assert!(told.contains("has changed during the evaluation"), "{told}");
        assert!(!store.contents().keys().any(|path| path.ends_with("-p0.drv")));
        store.verify();
    };
    tokio::task::spawn_blocking(test).await.unwrap();
}
