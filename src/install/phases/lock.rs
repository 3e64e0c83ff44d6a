//! `lock`: lets the flake's secrets input pick up what `secrets` has changed. Not there yet: the
//! plan leaves it out as "not configured", and whoever gets here all the same is told so.

use async_trait::async_trait;

use crate::install::context::{Context, Done, Failure, PhaseRun};

/// Refuses.
pub(super) struct Lock;

#[async_trait]
impl PhaseRun for Lock {
    async fn run(&self, _: &mut Context<'_>) -> Result<Done, Failure> {
        Err(Failure::new("this version can't update the flake's secrets input")
            .hint("run `nix flake update` with the input's name in the flake")
            .hint("leave the phase out with --skip lock"))
    }
}
