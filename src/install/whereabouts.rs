//! Where the machine is that nobody has named an address of: among the installers that answer on the local network,
//! or what the user types.

use super::context::{Failure, FailureKind};
use super::installers::{described, is_pinned, known_keys};
use super::options::Options;
use super::preflight::Preflight;
use super::trust::ask;
use crate::remote::destination::DEFAULT_PORT;
use crate::remote::{Destination, Installer};
use crate::validated::Invalid;

impl Preflight {
    /// Looks for installers. The only one that answers is taken without a question if it has a host key from here.
    pub(super) async fn find_target(&self, options: &Options) -> Result<Destination, Failure> {
        self.step("look for installers on the local network");
        let found = match self.world.finder.installers(self.world.limits.search).await {
            Ok(found) => found,
            Err(error) => {
                self.warn(error.to_string());
                Vec::new()
            }
        };
        let keys = known_keys(&self.world.state_dir).map_err(|error| {
            Failure::new(error.to_string())
                .hint("it lists the host keys that installer images were given; remove the line")
        })?;
        let described: Vec<String> = found.iter().map(|one| described(one, &keys)).collect();
        match found.as_slice() {
            [one] if is_pinned(one, &keys) => {
                self.step(&format!("found {}", described.concat()));
                Ok(place(one))
            }
            _ if !options.interactive => Err(nobody_to_ask(options, &described)),
            [] => self.typed(options, "No installer answers on the local network.\n").await,
            several => self.picked(options, several, described).await,
        }
    }

    async fn picked(
        &self,
        options: &Options,
        found: &[Installer],
        mut choices: Vec<String>,
    ) -> Result<Destination, Failure> {
        choices.push("another address".to_owned());
        let question = format!("Which machine becomes {}?", options.host);
        let index = ask(&self.world, move |prompter| prompter.choose(&question, &choices)).await?;
        match found.get(index) {
            Some(installer) => Ok(place(installer)),
            None => self.typed(options, "").await,
        }
    }

    async fn typed(&self, options: &Options, before: &str) -> Result<Destination, Failure> {
        let host = &options.host;
        let question = format!(
            "{before}Address of the machine that becomes {host} ([USER@]ADDRESS[:PORT]; --target)"
        );
        let text = ask(&self.world, move |prompter| prompter.text(&question, None)).await?;
        let usage = |error: String| Failure::new(error).kind(FailureKind::Usage);
        let target: Destination = text.trim().parse().map_err(|e: Invalid| usage(e.to_string()))?;
        target.port_beside(options.port).map_err(|error| usage(error.to_string()))?;
        Ok(target)
    }
}

fn place(installer: &Installer) -> Destination {
    // The usual port is left to the configuration.
    let port = Some(installer.port).filter(|port| *port != DEFAULT_PORT);
    Destination { port, ..Destination::of(installer.address.clone()) }
}

fn nobody_to_ask(options: &Options, found: &[String]) -> Failure {
    let host = &options.host;
    let answers = match found {
        [] => "no installer answers on the local network".to_owned(),
        [one] => format!("an installer answers on the local network: {one}"),
        several => {
            format!("installers answer on the local network:\n  {}", several.join("\n  "))
        }
    };
    Failure::new(format!("where is the machine that becomes {host}? {answers}"))
        .hint("give --target [USER@]ADDRESS[:PORT], or set bootstrap.target.host in the configuration")
        .kind(FailureKind::Usage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::event::Event;
    use crate::install::installers::remember_key;
    use crate::install::preflight::{Prepared, Purpose, prepare};
    use crate::install::testing::Stage;
    use crate::remote::HostPublicKey;

    /// A host of which nobody says where it is.
    fn stage() -> (Stage, Options) {
        let stage = Stage::new();
        stage.flake.facts.lock().unwrap().target.host = None;
        let mut options = stage.options();
        (options.target, options.host_key) = (None, None);
        (stage, options)
    }

    fn installer(address: &str, key: &HostPublicKey) -> Installer {
        Installer {
            name: "nixos-installer".to_owned(),
            address: address.parse().unwrap(),
            port: 2222,
            macs: vec!["52:54:00:00:00:01".to_owned()],
            fingerprint: Some(key.fingerprint().to_owned()),
            disks: Vec::new(),
        }
    }

    fn other_key() -> HostPublicKey {
        let pair = crate::secrets::host_key::HostKeyPair::generate("other").unwrap();
        pair.public().parse().unwrap()
    }

    async fn prepared(stage: &Stage, options: &Options) -> Result<Prepared, Failure> {
        prepare(&stage.world(), options, Purpose::Show).await
    }

    #[tokio::test]
    async fn the_only_installer_with_a_key_from_here_is_taken_without_a_question() {
        let (stage, options) = stage();
        let key = stage.machine.installer_key();
        *stage.network.0.lock().unwrap() = vec![installer("10.0.0.9", &key)];
        let failure = prepared(&stage, &options).await.err().unwrap();
        assert_eq!(failure.kind, FailureKind::Usage, "its key is not known yet: {failure:?}");
        assert!(failure.error.contains("nixos-installer at 10.0.0.9"), "{failure:?}");

        remember_key(&stage.path("state"), &other_key().to_string()).unwrap();
        remember_key(&stage.path("state"), &format!("{key} stick")).unwrap();
        let prepared = prepared(&stage, &options).await.unwrap();
        assert_eq!(prepared.plan.target.address.to_string(), "10.0.0.9");
        assert_eq!(prepared.access.installer.port, 2222);
        assert!(stage.person.asked.lock().unwrap().is_empty());
        let found =
            |event: &Event| matches!(event, Event::Step { text, .. } if text.starts_with("found "));
        assert!(stage.events.all().iter().any(found));
    }

    #[tokio::test]
    async fn one_that_only_claims_to_have_the_key_is_not_let_in() {
        let (stage, mut options) = stage();
        let claimed = other_key();
        remember_key(&stage.path("state"), &claimed.to_string()).unwrap();
        *stage.network.0.lock().unwrap() = vec![installer("10.0.0.9", &claimed)];
        let failure = prepared(&stage, &options).await.err().unwrap();
        assert!(failure.error.contains("is not trusted yet"), "{failure:?}");
        assert!(!failure.error.contains("NOT the key that was known"), "{failure:?}");
        options.interactive = true;
        let failure = prepared(&stage, &options).await.err().unwrap();
        assert_eq!(failure.kind, FailureKind::Stopped, "\"no\" was not heard");
    }

    #[tokio::test]
    async fn of_several_one_is_picked_or_another_address_typed() {
        let (stage, mut options) = stage();
        let key = stage.machine.installer_key();
        remember_key(&stage.path("state"), &key.to_string()).unwrap();
        *stage.network.0.lock().unwrap() =
            vec![installer("10.0.0.8", &other_key()), installer("10.0.0.9", &key)];
        let failure = prepared(&stage, &options).await.err().unwrap();
        assert_eq!(failure.kind, FailureKind::Usage);
        assert!(failure.error.contains("10.0.0.8") && failure.error.contains("10.0.0.9"));
        assert!(
            failure.hints[0].contains("--target")
                && failure.hints[0].contains("bootstrap.target.host")
        );

        options.interactive = true;
        "2".clone_into(&mut stage.person.typed.lock().unwrap());
        let picked = prepared(&stage, &options).await.unwrap();
        assert_eq!(picked.plan.target.address.to_string(), "10.0.0.9");
        let asked = stage.person.asked.lock().unwrap().concat();
        assert!(asked.contains("2) nixos-installer at 10.0.0.9"), "{asked}");
        assert!(asked.contains("3) another address"), "{asked}");
        "7".clone_into(&mut stage.person.typed.lock().unwrap());
        let failure = prepared(&stage, &options).await.err().unwrap();
        assert!(failure.error.contains("none of the numbers"), "{failure:?}");
    }

    #[tokio::test]
    async fn without_an_answer_the_address_is_asked_for() {
        let (stage, mut options) = stage();
        let failure = prepared(&stage, &options).await.err().unwrap();
        assert!(failure.error.contains("no installer answers"), "{failure:?}");
        options.interactive = true;
        remember_key(&stage.path("state"), &stage.machine.installer_key().to_string()).unwrap();
        "root@10.0.0.1".clone_into(&mut stage.person.typed.lock().unwrap());
        let typed = prepared(&stage, &options).await.unwrap();
        assert_eq!(typed.plan.target.address.to_string(), "10.0.0.1");
    }
}
