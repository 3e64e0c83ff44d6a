//! `secrets`: makes the host a recipient of its secrets. Not there yet: the plan leaves it out as
//! "not configured", and whoever gets here all the same is told so.

use async_trait::async_trait;

use crate::install::context::{Context, Done, Failure, PhaseRun};

/// Refuses.
pub(super) struct Secrets;

#[async_trait]
impl PhaseRun for Secrets {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        let host = &cx.plan.host;
        Err(Failure::new("this version can't make a host a recipient of its secrets")
            .hint(format!("add the age key of {host} to .sops.yaml and run `sops updatekeys`"))
            .hint("leave the phase out with --skip secrets"))
    }
}
