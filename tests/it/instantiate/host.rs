//! The derivations of a host whose facts were read: they come into the store behind the facts, and its build
//! evaluates nothing.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nixos_bootstrap::eval::io::{Fetch, RealIo};
use nixos_bootstrap::eval::settings::{ExperimentalFeatures, Settings};
use nixos_bootstrap::facts::embedded::{Setup, WrittenSoFar};
use nixos_bootstrap::facts::{EmbeddedEvaluator, Evaluator, Scope};
use nixos_bootstrap::instantiate::{RealStore, Watcher};
use nixos_bootstrap::process::nix::Nix;
use nixos_bootstrap::process::nix_log::Update;
use nixos_bootstrap::process::{Command, RealRunner, Runner};
use nixos_bootstrap::store::StoreDir;
use nixos_bootstrap::validated::HostName;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{Store, done, text};
use crate::embedded::Place;

pub(super) struct Nobody;

impl Watcher for Nobody {
    fn written(&self, _: u64, _: u64) {}
    fn building(&self, _: Update) {}
    fn done(&self) {}
    fn remark(&self, _: &str) {}
}

const FLAKE: &str = r#"{
  outputs = { self }: {
    nixosConfigurations.a = {
      config = {
        networking.hostName = "a";
        nixpkgs.hostPlatform = "x86_64-linux";
        system.build.toplevel = derivation {
          # What is fetched is counted.
          name = builtins.seq (builtins.fetchurl {
            url = "http://localhost/"; name = "file";
            sha256 = "0000000000000000000000000000000000000000000000000000";
          }) "system";
          system = "x86_64-linux"; builder = "/bin/sh"; src = ./src; inherit self;
        };
      };
      options = { };
    };
  };
}"#;

/// The way into `store`, which does `first` before it starts.
pub(super) fn real_store(store: &Store, runner: Arc<dyn Runner>, first: &str) -> RealStore {
    let program = store.path().join("nix");
    let script = format!(
        "#!/bin/sh\n{first}\nexport NIX_REMOTE='{}'\nexec nix \"$@\"\n",
        store.path().join("root").display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let nix = Nix { program: program.into(), ..Nix::default() };
    RealStore::new(runner, nix, StoreDir::default(), Box::new(Nobody))
}

/// An evaluator that writes to `store`, and counts evaluations.
fn evaluator(store: &Store, builds: bool, count: &Arc<AtomicUsize>) -> EmbeddedEvaluator {
    let runner: Arc<dyn Runner> = Arc::new(RealRunner::default());
    let real = Arc::new(real_store(store, runner.clone(), ""));
    let (in_store, count, handle) = (real.clone(), count.clone(), Handle::current());
    EmbeddedEvaluator::new(Setup {
        settings: Settings {
            pure: true,
            features: ExperimentalFeatures {
                flakes: true,
                fetch_tree: true,
                ..ExperimentalFeatures::default()
            },
            ..Settings::default()
        },
        override_inputs: Vec::new(),
        outside: Box::new(move || {
            let count = count.clone();
            let fetched = Box::new(move |_: &Fetch| {
                count.fetch_add(1, Ordering::Relaxed);
                Ok(b"\"fetched\"".to_vec())
            });
            RealIo::new().fetching_with(fetched).with_store(in_store.clone())
        }),
        run: Arc::new(move |command: &Command| handle.block_on(runner.run(command))),
        base: b"/".to_vec(),
        commits: None,
        cache: None,
        cancel: CancellationToken::new(),
        threads: 1,
        store: real,
        builds,
        written: WrittenSoFar::default(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_evaluated_once_and_its_derivations_are_written() {
    let Some(store) = Store::new() else { return };
    let place = Place::new();
    place.write("flake.nix", FLAKE).write("src/file", "1").commit();
    let flake = place.path("flake").display().to_string();
    let host: HostName = "a".parse().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let evaluator = evaluator(&store, true, &count);
    let facts = evaluator.facts(&flake, &host, Scope::Outputs).await.unwrap();
    let expected = facts.toplevel().unwrap().clone();
    let outputs = evaluator.instantiate(&flake, &host, &[]).await.unwrap().unwrap();
    assert_eq!(outputs.toplevel, Some(expected.clone()));
    assert_eq!(count.load(Ordering::Relaxed), 1);
    let drv = expected.drv_path.as_str();
    let closure = text(&done(store.rooted("nix-store").args(["-qR", drv])).stdout);
    assert!(closure.contains("-src\n") && closure.contains("-source\n"), "{closure}");
    store.verify();
    // Another flake is another host.
    place.write("src/file", "2");
    let changed =
        evaluator.instantiate(&flake, &host, &[]).await.unwrap().unwrap().toplevel.unwrap();
    assert_ne!(changed, expected);
    assert_eq!(count.load(Ordering::Relaxed), 2);
    done(store.rooted("nix-store").args(["-q", "--references", changed.drv_path.as_str()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_are_only_shown_write_nothing() {
    let Some(store) = Store::new() else { return };
    let place = Place::new();
    place.write("flake.nix", FLAKE).write("src/file", "1").commit();
    let flake = place.path("flake").display().to_string();
    let evaluator = evaluator(&store, false, &Arc::default());
    evaluator.facts(&flake, &"a".parse().unwrap(), Scope::Outputs).await.unwrap();
    drop(evaluator);
    assert!(!store.path().join("root").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_is_replaced_is_in_the_derivations() {
    let Some(store) = Store::new() else { return };
    let place = Place::new();
    let input = "outputs = { self, secrets }";
    let flake =
        FLAKE.replace("outputs = { self }", &format!("inputs.secrets.flake = false; {input}"));
    let flake = flake.replace("src = ./src", "src = ./src; inherit secrets");
    let around = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let folder = around.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("secrets.yaml"), name).unwrap();
        format!("path:{}", folder.display())
    };
    let (locked, local) = (folder("locked"), folder("local"));
    let flake = flake.replace(
        "inputs.secrets.flake",
        &format!("inputs.secrets.url = \"{locked}\"; inputs.secrets.flake"),
    );
    place.write("flake.nix", &flake).write("src/file", "1").commit();
    let flake = place.path("flake").display().to_string();
    let host: HostName = "a".parse().unwrap();
    let evaluator = evaluator(&store, true, &Arc::default());
    let built = async |replaced: &[(String, String)]| {
        let outputs = evaluator.instantiate(&flake, &host, replaced).await.unwrap().unwrap();
        let drv = outputs.toplevel.unwrap().drv_path;
        text(&done(store.rooted("nix").args(["derivation", "show", drv.as_str()])).stdout)
    };
    let source = |built: &str| {
        let (_, rest) = built.split_once("\"secrets\":").unwrap();
        rest.split('"').nth(1).unwrap().to_owned()
    };
    let plain = source(&built(&[]).await);
    let replaced = source(&built(&[("secrets".to_owned(), local.clone())]).await);
    assert_ne!(plain, replaced);
    // Asked again without it, the first answer comes.
    assert_eq!(source(&built(&[]).await), plain);
    let of_nix = text(
        &done(
            store
                .rooted("nix")
                .args(["flake", "prefetch", "--json", &local])
                .env("NIX_CONFIG", "flake-registry ="),
        )
        .stdout,
    );
    assert!(of_nix.contains(&replaced), "{of_nix} has not {replaced}");
}
