//! Going on where the program `nix` evaluates, with a flake that has an input of secrets.

use async_trait::async_trait;

use super::*;
use crate::process::{Command, Error, LineSink, Output, RealRunner, Runner};

/// `nix` with a store and a home of its own.
struct OwnStore(std::path::PathBuf);

#[async_trait]
impl Runner for OwnStore {
    async fn stream(&self, command: &Command, sink: &mut LineSink<'_>) -> Result<Output, Error> {
        let command = command
            .clone()
            .env("HOME", self.0.join("home"))
            .env("XDG_CACHE_HOME", self.0.join("home/.cache"))
            .env("NIX_REMOTE", self.0.join("store"))
            .env("NIX_CONFIG", "flake-registry =");
        RealRunner::default().stream(&command, sink).await
    }
}

/// The system hangs on the flake's own text and on what the secrets hold.
const FLAKE: &str = r#"{
  inputs.secrets = { url = "path:LOCKED"; flake = false; };
  outputs = { secrets, ... }: {
    nixosConfigurations.grief.config.system.build.toplevel = derivation {
      name = "system";
      system = "x86_64-linux";
      builder = "/bin/sh";
      args = [ "first" (builtins.readFile "${secrets}/token") ];
    };
  };
}
"#;

struct Scene {
    phases: Phases,
}

impl Scene {
    fn new() -> Self {
        let mut stage = Stage::new();
        stage.runner = Arc::new(OwnStore(stage.path("nix")));
        stage.flake.evaluates.store(false, Ordering::Relaxed);
        for (folder, token) in [("locked", "old"), (SECRETS, "new")] {
            std::fs::create_dir(stage.path(folder)).unwrap();
            std::fs::write(stage.path(folder).join("token"), token).unwrap();
        }
        std::fs::create_dir_all(stage.path("nix/home")).unwrap();
        let flake = FLAKE.replace("LOCKED", &stage.path("locked").display().to_string());
        std::fs::write(stage.path("flake/flake.nix"), flake).unwrap();
        let phases = Phases { stage: Arc::new(stage), ..Phases::new() };
        Self { phases }
    }

    /// What nix gives for the system, with the input replaced or as it is locked.
    async fn system(&self, replaced: bool) -> String {
        let stage = &self.phases.stage;
        let mut nix = crate::process::nix::Nix::default();
        if replaced {
            nix.override_inputs.push(("secrets".to_owned(), secrets(stage)));
        }
        let attr = "nixosConfigurations.grief.config.system.build.toplevel.outPath";
        let command = nix.eval_raw(&format!("{}#{attr}", stage.path("flake").display()));
        let output = stage.runner.run(&command).await;
        let output = output.expect("this test needs nix: scripts/test installs it");
        assert!(output.ok(), "{}", output.error_text());
        output.text()
    }

    /// Installs, is killed after it, and goes on once `change` has been made. How often was it installed?
    async fn installs(&self, change: impl FnOnce(&Stage)) -> usize {
        let stage = Arc::clone(&self.phases.stage);
        let system = self.system(true).await.parse().unwrap();
        *stage.flake.replaced_system.lock().unwrap() = Some(system);
        self.phases.run_into(Phase::Reboot, Trouble::Kill).await;
        change(&stage);
        let system = self.system(true).await.parse().unwrap();
        *stage.flake.replaced_system.lock().unwrap() = Some(system);
        let ended = self.phases.run().await.unwrap();
        assert_eq!(ended.failure, None);
        self.phases.log().iter().filter(|phase| **phase == Phase::Install).count()
    }
}

fn edit(file: &std::path::Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(file, text.replace(from, to)).unwrap();
}

#[tokio::test]
async fn nix_is_asked_for_the_system_with_the_secrets_of_this_run() {
    let scene = Scene::new();
    assert_ne!(scene.system(true).await, scene.system(false).await);
    // The facts have the system with the locked secrets, which is another one; nothing has changed.
    assert_eq!(scene.installs(|_| ()).await, 1);
    // Secrets that only the lock file knows are of no concern.
    let scene = Scene::new();
    let locked = |stage: &Stage| edit(&stage.path("locked/token"), "old", "older");
    assert_eq!(scene.installs(locked).await, 1);
}

#[tokio::test]
async fn a_configuration_or_secrets_that_have_changed_are_installed_again() {
    let scene = Scene::new();
    let flake = |stage: &Stage| edit(&stage.path("flake/flake.nix"), "first", "second");
    assert_eq!(scene.installs(flake).await, 2);
    let told = |event: &Event| matches!(event, Event::Warning { text, .. } if text.contains("it is installed again"));
    assert!(scene.phases.stage.events.all().iter().any(told));
    let scene = Scene::new();
    let secrets = |stage: &Stage| edit(&stage.path(SECRETS).join("token"), "new", "newer");
    assert_eq!(scene.installs(secrets).await, 2);
}

#[tokio::test]
async fn a_configuration_that_does_not_evaluate_any_more_ends_the_run_before_it_begins() {
    let scene = Scene::new();
    let system = scene.system(true).await.parse().unwrap();
    *scene.phases.stage.flake.replaced_system.lock().unwrap() = Some(system);
    scene.phases.run_into(Phase::Reboot, Trouble::Kill).await;
    edit(&scene.phases.stage.path("flake/flake.nix"), "\"first\"", "(throw \"not so\")");
    let failure = scene.phases.run().await.unwrap_err();
    assert!(failure.error.contains("not so"), "{failure:?}");
    let installs = scene.phases.log().iter().filter(|phase| **phase == Phase::Install).count();
    assert_eq!(installs, 1);
}
