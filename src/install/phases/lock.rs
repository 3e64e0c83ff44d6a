//! `lock`: from now on the builds of this run take the flake's secrets input from the folder on this
//! machine, with what `secrets` has changed in it. The lock file itself follows in `commit`, once the
//! secrets are where the input is fetched from.

use std::path::Path;

use async_trait::async_trait;

use crate::install::context::{Context, Done, Failure, PhaseRun};
use crate::install::flake_lock;
use crate::install::git::Repo;

/// Overrides the input.
pub(super) struct Lock;

#[async_trait]
impl PhaseRun for Lock {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        let planned = cx.plan.secrets.as_ref();
        let Some((folder, input)) = planned.and_then(|p| Some((&p.folder, p.input.as_ref()?)))
        else {
            return Err(Failure::new("the flake has no input with the secrets"));
        };
        let repo = Repo::new(Path::new(folder));
        let reference = flake_lock::reference(folder, repo.is_work_tree(cx).await?);
        cx.record.secrets_input = Some((input.clone(), reference));
        Ok(Done::new(format!("builds take {input} from {folder}")))
    }
}
