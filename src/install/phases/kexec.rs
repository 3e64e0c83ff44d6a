//! `kexec`: start an installer on a target that runs another system. Left to nixos-anywhere, which
//! brings an installer image for it.

use async_trait::async_trait;

use crate::install::context::{Context, Done, Failure, FailureKind, PhaseRun, Side};
use crate::install::options::Engine;
use crate::install::{Phase, nixos_anywhere};

/// Starts an installer.
pub(super) struct Kexec;

#[async_trait]
impl PhaseRun for Kexec {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        if cx.plan.system.engine != Engine::NixosAnywhere {
            return Err(Failure::new("this program can't start an installer by kexec itself")
                .hint("choose --engine nixos-anywhere, or start the target from an installer image")
                .kind(FailureKind::Usage));
        }
        if cx.side == Side::Installed {
            return Err(Failure::new("the installed host answers, not the system to be replaced")
                .kind(FailureKind::Changed));
        }
        nixos_anywhere::run(cx, Phase::Kexec, None).await?;
        // The connection has gone with the system that ran before.
        cx.disconnect().await;
        let remote = cx.remote().await?;
        let probe = crate::remote::probe(&*remote).await;
        let probe = probe.map_err(|error| Failure::new(error.to_string()))?;
        if !probe.installer {
            return Err(Failure::new("kexec has ended, but the target still runs no installer"));
        }
        cx.record.installer_boot_id = Some(probe.boot_id);
        Ok(Done::new("the target runs an installer"))
    }
}
