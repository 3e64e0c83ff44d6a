//! Looking around in real folders, with the real git and with scripted ones.

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::install::samples;
use crate::process::RealRunner;
use crate::process::scripted::Scripted;

struct Place {
    root: TempDir,
    options: Options,
    facts: HostFacts,
}

/// A flake folder `cfg` in a folder of its own.
fn place() -> Place {
    let root = TempDir::new().unwrap();
    let case = samples::grief();
    let mut options = case.options;
    options.flake_dir = Some(root.path().join("cfg"));
    fs::create_dir(root.path().join("cfg")).unwrap();
    Place { root, options, facts: case.facts }
}

impl Place {
    fn write(&self, file: &str, text: &str) {
        let path = self.root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    async fn git(&self, args: &[&str]) {
        let git = Command::new("git").arg("-C").arg(self.root.path().join("cfg"));
        let runner = RealRunner::new(CancellationToken::new());
        let output = runner.run(&git.args(args)).await.expect("git is needed for this test");
        assert!(output.ok(), "git {args:?}: {output:?}");
    }

    async fn look(&self) -> Surroundings {
        let runner = RealRunner::new(CancellationToken::new());
        look_around(&runner, &self.options, &self.facts).await
    }
}

#[tokio::test]
async fn what_git_knows_is_found_even_when_only_intended() {
    let place = place();
    place.write("cfg/flake.nix", "{}");
    place.write("cfg/hosts/grief/hardware-configuration.nix", "{}");
    place.write("cfg/hosts/grief/facter.json", "{}");
    place.write("cfg/hosts/gr\u{f6}\u{df}e.nix", "{}");
    place.git(&["init", "-q"]).await;
    place.git(&["add", "flake.nix", "hosts/gr\u{f6}\u{df}e.nix"]).await;
    place.git(&["add", "--intent-to-add", "hosts/grief/facter.json"]).await;
    let around = place.look().await;
    let tracked = ["flake.nix", "hosts/grief/facter.json", "hosts/gr\u{f6}\u{df}e.nix"];
    assert_eq!(around.tracked, Some(tracked.map(str::to_owned).into()));
    let files = ["hosts/grief/facter.json", "hosts/grief/hardware-configuration.nix"];
    assert_eq!(around.hardware_files, files.map(str::to_owned).into());
    assert!(around.has_host_dir);
    assert_eq!(around.notes, [""; 0]);
    assert_eq!(around.done, BTreeSet::new());
}

#[tokio::test]
async fn a_folder_inside_of_a_repo_is_seen_from_itself() {
    let mut place = place();
    place.write("cfg/nested/flake.nix", "{}");
    place.git(&["init", "-q"]).await;
    place.git(&["add", "nested/flake.nix"]).await;
    place.options.flake_dir = Some(place.root.path().join("cfg/nested"));
    assert_eq!(place.look().await.tracked, Some(["flake.nix".to_owned()].into()));
}

#[tokio::test]
async fn a_folder_without_git_is_no_oddity() {
    let place = place();
    let around = place.look().await;
    assert_eq!((around.tracked, around.notes), (None, Vec::new()));
    assert!(!around.has_host_dir);
    assert_eq!(around.minimal_flake, None);
}

#[tokio::test]
async fn a_git_that_fails_becomes_a_note() {
    let place = place();
    let broken = Scripted::new().when("ls-files", 128, "");
    let around = look_around(&broken, &place.options, &place.facts).await;
    assert_eq!(around.tracked, None);
    assert!(around.notes[0].starts_with("what git tracks is not known: "), "{:?}", around.notes);
}

#[tokio::test]
async fn a_missing_folder_becomes_a_note() {
    let mut place = place();
    place.options.flake_dir = Some("/does/not/exist".into());
    let around = place.look().await;
    assert_eq!(around.flake_dir, None);
    assert!(around.notes[0].contains("/does/not/exist"), "{:?}", around.notes);
}

#[tokio::test]
async fn the_secrets_repo_is_the_configured_one_or_the_sibling() {
    let mut place = place();
    assert_eq!(place.look().await.secrets_repo, None);
    place.write("nix-secrets/.sops.yaml", "creation_rules: []");
    let repo = place.look().await.secrets_repo.unwrap();
    assert!(repo.path.ends_with("nix-secrets"));
    assert_eq!(repo.sops_yaml.as_deref(), Some("creation_rules: []"));
    place.write("other/x", "");
    place.facts.bootstrap.secrets_repo = Some("../other".to_owned());
    let repo = place.look().await.secrets_repo.unwrap();
    assert!(repo.path.ends_with("other"));
    assert_eq!(repo.sops_yaml, None);
    place.facts.bootstrap.secrets_repo = Some("../nowhere".to_owned());
    let around = place.look().await;
    assert_eq!(around.secrets_repo, None);
    assert!(around.notes[0].contains("bootstrap.secrets.repo"), "{:?}", around.notes);
}

#[tokio::test]
async fn the_flake_s_own_rules_are_read_and_unreadable_ones_noted() {
    let place = place();
    place.write("cfg/.sops.yaml", "keys: []");
    assert_eq!(place.look().await.sops_yaml.as_deref(), Some("keys: []"));
    fs::write(place.root.path().join("cfg/.sops.yaml"), [0xff, 0xfe]).unwrap();
    let around = place.look().await;
    assert_eq!(around.sops_yaml, None);
    assert!(around.notes[0].contains(".sops.yaml"), "{:?}", around.notes);
}
