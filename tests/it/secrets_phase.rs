//! The phases `secrets` and `lock` for real: git, sops and a repo of secrets.

use std::fs;
use std::path::Path;

use nixos_bootstrap::install::Phase;
use nixos_bootstrap::install::options::ReuseHostKey;
use nixos_bootstrap::secrets::age::Identity;
use nixos_bootstrap::secrets::{HostKeyPair, Secret};

use crate::secrets_scene::Scene;

fn names(files: &[&str]) -> std::collections::BTreeSet<String> {
    files.iter().map(|file| (*file).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_can_read_its_secrets_and_a_second_run_changes_no_byte() {
    let scene = Scene::new();
    let plan = scene.plan(&Scene::facts()).await;
    let changes = &plan.phase(Phase::Secrets).unwrap().changes;
    assert!(changes.iter().any(|line| line.contains("encrypts shared.yaml, hosts/grief/own.yaml")));
    assert!(changes.iter().any(|line| line.contains("user_age_keys/ta_grief in shared.yaml")));
    let lock = &plan.phase(Phase::Lock).unwrap().changes;
    assert!(lock[0].contains("the input secrets from"), "{lock:?}");
    let guppy = scene.read("hosts/guppy.yaml");

    let (done, record) = scene.run(&[Phase::Secrets, Phase::Lock]).await;
    let done = done.unwrap_or_else(|failure| panic!("{failure:?}"));
    assert!(done[0].starts_with("2 files can be read; changed: .sops.yaml"), "{done:?}");
    assert_eq!(record.secrets_files, names(&[".sops.yaml", "hosts/grief/own.yaml", "shared.yaml"]));
    let (input, reference) = record.secrets_input.unwrap();
    assert_eq!(input, "secrets");
    assert!(reference.starts_with("git+file:///"), "{reference}");
    assert!(scene.host_opens("shared.yaml") && scene.host_opens("hosts/grief/own.yaml"));
    assert!(!scene.host_opens("hosts/guppy.yaml"), "the host can read another's secrets");
    assert_eq!(scene.read("hosts/guppy.yaml"), guppy);
    scene.sops(&["decrypt", "hosts/grief/own.yaml"]);
    let place = "[\"user_age_keys\"][\"ta_grief\"]";
    let user = scene.sops(&["decrypt", "--extract", place, "shared.yaml"]);
    let user = Identity::parse(&Secret::new(user)).unwrap();

    let rules = scene.read(".sops.yaml");
    assert!(rules.contains(&format!("    - &grief {}\n", scene.host().recipient())), "{rules}");
    assert!(rules.contains(&format!("    - &ta_grief {}\n", user.recipient())), "{rules}");
    // Its own file got a rule of its own, without the other host, before the one that shadows it.
    let own = "  - path_regex: ^hosts/grief/own\\.yaml$\n    key_groups:\n    - age:\n      - *ta\n      - *grief\n      - *ta_grief\n  - path_regex: hosts/\n";
    assert!(rules.contains(own), "{rules}");
    assert!(rules.starts_with("# Whose keys these are.\n") && rules.contains(" # laptop\n"));

    let files = [".sops.yaml", "shared.yaml", "hosts/grief/own.yaml"];
    let before = files.map(|file| scene.read(file));
    let (done, record) = scene.run(&[Phase::Secrets]).await;
    assert_eq!(done.unwrap(), ["2 files can be read already; nothing changed"]);
    assert_eq!(record.secrets_files, names(&files), "they are not committed yet");
    assert_eq!(files.map(|file| scene.read(file)), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_between_two_files_is_finished_by_the_next() {
    let scene = Scene::new();
    let shared = scene.read("shared.yaml");
    scene.run(&[Phase::Secrets]).await.0.unwrap();
    // The rules and one file were written, the other was not.
    let rules = scene.read(".sops.yaml");
    scene.git("nix-secrets", &["checkout", "-q", "hosts/grief/own.yaml"]);
    let (done, record) = scene.run(&[Phase::Secrets]).await;
    done.unwrap();
    // The killed run has told nobody of what it had written: all of it belongs into the commit.
    assert_eq!(record.secrets_files, names(&[".sops.yaml", "hosts/grief/own.yaml", "shared.yaml"]));
    scene.git("nix-secrets", &["-c", "user.name=T", "-c", "user.email=t@t", "commit", "-qam", "x"]);
    assert!(scene.run(&[Phase::Secrets]).await.1.secrets_files.is_empty());
    assert_eq!(scene.read(".sops.yaml"), rules);
    assert_ne!(scene.read("shared.yaml"), shared);
    assert!(scene.host_opens("hosts/grief/own.yaml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reinstalled_host_has_its_new_key_and_the_old_one_is_out() {
    let mut scene = Scene::new();
    scene.run(&[Phase::Secrets]).await.0.unwrap();
    let old = scene.host();
    let data = |text: &str| text.lines().next().unwrap().to_owned();
    let before = data(&scene.read("shared.yaml"));
    scene.pair = HostKeyPair::generate("root@grief").unwrap();
    let (done, record) = scene.run(&[Phase::Secrets]).await;
    done.unwrap();
    let rules = scene.read(".sops.yaml");
    assert_eq!(record.former_recipient.as_deref(), Some(old.recipient().as_str()));
    assert!(!rules.contains(old.recipient().as_str()), "{rules}");
    assert_eq!(rules.matches("&grief ").count(), 1);
    for name in ["shared.yaml", "hosts/grief/own.yaml"] {
        assert!(scene.host_opens(name), "{name}");
        assert!(!scene.read(name).contains(old.recipient().as_str()), "{name}");
    }
    assert_ne!(data(&scene.read("shared.yaml")), before, "the data key is the old one");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_proof_nothing_is_written() {
    let scene = Scene::new();
    // The configuration wants a key that is not in the file.
    scene.write("nix-secrets/shared.yaml", "pass:\n  ta: x\n");
    scene.sops(&["encrypt", "--in-place", "shared.yaml"]);
    let before = (scene.read(".sops.yaml"), scene.read("shared.yaml"));
    let (done, record) = scene.run(&[Phase::Secrets]).await;
    let failure = done.unwrap_err();
    assert!(failure.error.contains("nothing was changed"), "{failure:?}");
    assert!(failure.error.contains("shared.yaml: it has no token"), "{failure:?}");
    assert_eq!((scene.read(".sops.yaml"), scene.read("shared.yaml")), before);
    assert!(record.secrets_files.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dirty_repo_is_told_and_other_changes_stay() {
    let scene = Scene::new();
    let rules = scene.read(".sops.yaml");
    scene.write("nix-secrets/.sops.yaml", &format!("{rules}# mine\n"));
    scene.write("nix-secrets/notes", "mine\n");
    scene.git("nix-secrets", &["add", "notes"]);
    let (done, _) = scene.run(&[Phase::Secrets]).await;
    done.unwrap();
    assert!(scene.told.warnings().contains("not committed"), "{}", scene.told.warnings());
    assert!(scene.read(".sops.yaml").ends_with("# mine\n"));
    assert!(scene.git("nix-secrets", &["status", "--porcelain"]).contains("A  notes"));
    fs::remove_dir_all(scene.dir.path().join("nix-secrets/.git")).unwrap();
    let (done, _) = scene.run(&[Phase::Secrets]).await;
    done.unwrap();
    assert!(scene.told.warnings().contains("is no git repo"), "{}", scene.told.warnings());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_encrypted_for_it_is_refused_in_the_plan() {
    let scene = Scene::new();
    let refused = async |scene: &Scene| {
        let plan = scene.plan(&Scene::facts()).await;
        plan.refusals.into_iter().map(|refusal| (refusal.code, refusal.reason)).collect::<Vec<_>>()
    };
    let codes = |refusals: &[(String, String)]| -> Vec<String> {
        let codes = refusals.iter().map(|(code, _)| code.clone());
        codes.filter(|code| code.contains("sops") || code.contains("secrets")).collect()
    };
    assert_eq!(codes(&refused(&scene).await), Vec::<String>::new());
    fs::remove_file(scene.dir.path().join("nix-secrets/shared.yaml")).unwrap();
    let found = refused(&scene).await;
    assert_eq!(codes(&found), ["no-secrets-file"], "{found:?}");
    let rules = scene.read(".sops.yaml").replace("shared", "other");
    scene.write("nix-secrets/.sops.yaml", &rules);
    let found = refused(&scene).await;
    assert_eq!(codes(&found), ["no-secrets-file", "no-sops-rule"], "{found:?}");
    scene.write("nix-secrets/.sops.yaml", "keys: [\n");
    let found = refused(&scene).await;
    assert_eq!(codes(&found), ["sops-yaml"], "{found:?}");
    assert!(
        Path::new(
            &found.iter().find(|f| f.0 == "sops-yaml").unwrap().1.split(": ").next().unwrap()
        )
        .is_absolute()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_git_does_not_know_is_made_known_so_that_the_flake_sees_it() {
    let scene = Scene::new();
    scene.git("nix-secrets", &["rm", "-q", "--cached", "hosts/grief/own.yaml"]);
    scene
        .git("nix-secrets", &["-c", "user.name=T", "-c", "user.email=t@t", "commit", "-qm", "out"]);
    scene.run(&[Phase::Secrets]).await.0.unwrap();
    let status = scene.git("nix-secrets", &["status", "--porcelain"]);
    assert!(status.contains(" A hosts/grief/own.yaml\n"), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_made_again_keeps_the_key_of_which_a_copy_is_in_the_secrets() {
    let mut scene = Scene::new();
    let pair = HostKeyPair::generate("root@grief").unwrap();
    let private = String::from_utf8(pair.private().expose().to_vec()).unwrap();
    scene.write("key", &private);
    std::fs::set_permissions(
        scene.dir.path().join("key"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    scene.tool("secrets host-key grief --keep --key ../key --in hosts/keys.yaml");
    scene.reuse = Some(ReuseHostKey::Secrets);
    let (done, record) = scene.run(&[Phase::Hostkey]).await;
    assert_eq!(done.unwrap(), ["reused: ed25519"]);
    assert_eq!(record.host_keys, [pair.public()]);
    fs::remove_file(scene.dir.path().join("nix-secrets/hosts/keys.yaml")).unwrap();
    let failure = scene.run(&[Phase::Hostkey]).await.0.unwrap_err();
    assert!(
        failure.error.contains("nix-secrets/hosts/keys.yaml (ssh_host_keys/grief)"),
        "{failure:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_decrypt_the_files_is_told_and_nothing_changes() {
    let scene = Scene::new();
    let stranger = Identity::generate().unwrap();
    scene.write("own.txt", std::str::from_utf8(stranger.secret().expose()).unwrap());
    let files = [".sops.yaml", "shared.yaml", "hosts/grief/own.yaml"];
    let before = files.map(|file| scene.read(file));
    let failure = scene.run(&[Phase::Secrets]).await.0.unwrap_err();
    let said = format!("{} {:?}", failure.error, failure.hints);
    assert!(said.contains("shared.yaml") && said.contains("SOPS_AGE_KEY_FILE"), "{said}");
    assert_eq!(files.map(|file| scene.read(file)), before);
    // An empty list of rules is refused before anything begins.
    scene.write("nix-secrets/.sops.yaml", "");
    let plan = scene.plan(&Scene::facts()).await;
    assert!(plan.refusals.iter().any(|refusal| refusal.code == "no-sops-rule"), "{plan:?}");
}
