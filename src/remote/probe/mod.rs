//! Looking at the live machine: one script that runs there once (`probe.sh`), and the pure function
//! that reads what it prints. All of that is data from outside: paths are validated, and text is
//! freed of what could redraw a terminal.

mod disks;
pub(crate) mod lsblk;
mod sections;

use std::time::Duration;

use self::sections::{Sections, os_release};
use super::command::{Remote, RemoteCommand};
use super::display::printable;
use super::model::{Firmware, Privilege, Probe};
use crate::process;
use crate::validated::StorePath;

const SCRIPT: &str = include_str!("probe.sh");

/// Slow disks take their time to answer; more than this is no answer.
const LIMIT: Duration = Duration::from_secs(60);

/// The programs that a run calls by name on an installer.
const NEEDED: [&str; 8] = [
    "lsblk",
    "mount",
    "nix",
    "nix-store",
    "nixos-generate-config",
    "nixos-install",
    "tar",
    "umount",
];

/// Why the machine could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The script did not run.
    #[error("could not look at the machine: {0}")]
    Run(#[from] process::Error),
    /// What it printed is not understood.
    #[error("the machine's answer is not understood: {section}: {reason}")]
    Answer {
        /// Which part of the answer.
        section: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// Looks at the machine behind `remote`. Changes nothing there.
pub async fn probe(remote: &dyn Remote) -> Result<Probe, ProbeError> {
    let command = RemoteCommand::new("sh").args(["-c", SCRIPT, "nixos-bootstrap"]).args(NEEDED);
    let output = remote.run(&command.limit(LIMIT)).await?;
    let output = output.success(&"the script that describes the machine")?;
    parse(&output.text())
}

/// Reads what the script printed.
pub fn parse(answer: &str) -> Result<Probe, ProbeError> {
    let sections = Sections::new(answer);
    let release = os_release(&sections.lines("os"));
    let said = |key: &str| release.get(key).map(|value| printable(value)).filter(|v| !v.is_empty());
    let (os_id, os_variant) = (said("ID"), said("VARIANT_ID"));
    let installer = os_id.as_deref() == Some("nixos") && os_variant.as_deref() == Some("installer");
    let system = sections.first("system").and_then(|path| path.parse::<StorePath>().ok());
    let missing: Vec<String> = sections.lines("missing").into_iter().map(printable).collect();
    let disks = match (sections.text("lsblk"), missing.iter().any(|program| program == "lsblk")) {
        (None, true) => Vec::new(),
        (None, false) => return Err(wrong("lsblk", "it failed")),
        (Some(text), _) => disks::read(&text, &sections, installer)?,
    };
    Ok(Probe {
        host_name: printable(sections.needed("name")?),
        boot_id: boot_id(sections.needed("boot")?)?,
        architecture: printable(sections.needed("architecture")?),
        firmware: match sections.needed("firmware")? {
            "uefi" => Firmware::Uefi,
            _ => Firmware::Bios,
        },
        memory: memory(&sections)?,
        os_id,
        os_variant,
        os_name: said("PRETTY_NAME"),
        installer,
        current_system: system.map(String::from),
        privilege: match sections.needed("privilege")? {
            "root" => Privilege::Root,
            "sudo" => Privilege::Sudo,
            _ => Privilege::None,
        },
        missing_programs: missing,
        disks,
    })
}

fn wrong(section: &'static str, reason: impl Into<String>) -> ProbeError {
    ProbeError::Answer { section, reason: reason.into() }
}

fn boot_id(text: &str) -> Result<String, ProbeError> {
    let sound = text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if sound { Ok(text.to_owned()) } else { Err(wrong("boot", "no boot id")) }
}

/// `MemTotal: N kB` of /proc/meminfo (proc(5)), where kB means 1024 bytes.
fn memory(sections: &Sections<'_>) -> Result<u64, ProbeError> {
    let lines = sections.lines("memory");
    let total = lines.iter().find_map(|line| line.strip_prefix("MemTotal:"));
    let number = total.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    number.and_then(|kib| kib.checked_mul(1024)).ok_or_else(|| wrong("memory", "no MemTotal"))
}
