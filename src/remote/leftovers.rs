//! Commands that an earlier run has left behind.
//!
//! A command stops when its connection ends. But where the network fails without a word, sshd over
//! there may not notice for many minutes, and until then the command goes on: the next run must not
//! meet it at work on the same disk.

use std::time::Duration;

use super::command::{Remote, RemoteCommand};
use crate::process::Error;

/// Shell functions that stop a process group; shared with the wrapper of the ssh session.
pub(super) const STOP: &str = include_str!("stop.sh");

const SCRIPT: &str = include_str!("leftovers.sh");

/// Each command has five seconds to end by itself.
const LIMIT: Duration = Duration::from_secs(60);

/// Stops every command that ran as root for an earlier connection and still works, and says how
/// many there were. To be called before the first change of a run, while no other command of this
/// run is at work; a run of somebody else that is at work on the machine is stopped, too.
pub async fn stop_leftovers(remote: &dyn Remote) -> Result<u32, Error> {
    let command = RemoteCommand::new("sh").args(["-c", &format!("{STOP}\n{SCRIPT}")]);
    let named = "stop what an earlier run has left behind";
    let output = remote.run(&command.as_root().limit(LIMIT)).await?.success(&named)?;
    Ok(output.text().trim().parse().unwrap_or_default())
}
