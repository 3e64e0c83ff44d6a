//! `hardware`: describe the target's hardware in the flake. The file is written only once what the
//! target said is known to be sound, and only where it differs.

use std::path::{Component, Path, PathBuf};

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::facts::HardwareGenerator;
use crate::files;
use crate::install::context::{Context, Done, Failure, FailureKind, PhaseRun, Side};
use crate::install::git::Repo;
use crate::install::record::HardwareRecord;
use crate::process::Command;
use crate::remote::RemoteCommand;

/// Writes the hardware file.
pub(super) struct Hardware;

#[async_trait]
impl PhaseRun for Hardware {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        let (Some(planned), Some(dir)) = (&cx.plan.hardware, &cx.options.flake_dir) else {
            return Err(Failure::new("the plan has no hardware file"));
        };
        let (generator, file, dir) = (planned.generator, planned.file.clone(), dir.clone());
        let path = place(&dir, &file)?;
        cx.step("ask the target for its hardware");
        let content = generate(cx, generator).await?;
        check(cx, generator, &content).await?;
        let old = read_old(&path)?;
        let changed = old.as_deref() != Some(content.as_slice());
        if changed {
            write(&path, &content)?;
            cx.changes.push(format!("this machine: {file} written"));
            cx.record.flake_files.insert(file.clone());
        }
        let sha256 = HEXLOWER.encode(&Sha256::digest(&content));
        cx.record.hardware = Some(HardwareRecord { file: file.clone(), sha256 });
        if make_known(cx, &dir, &file).await? {
            cx.record.flake_files.insert(file.clone());
        }
        let summary =
            if changed { format!("{file} written") } else { format!("{file} is as it was") };
        Ok(Done::new(summary))
    }
}

/// The file's place, which must be inside the flake's folder, links included.
fn place(dir: &Path, file: &str) -> Result<PathBuf, Failure> {
    let outside = || {
        Failure::new(format!("the hardware file {file:?} is not inside the flake's folder"))
            .hint("set bootstrap.hardware.file to a path relative to the flake")
            .kind(FailureKind::Usage)
    };
    let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if file.is_empty() || !Path::new(file).components().all(plain) {
        return Err(outside());
    }
    let path = dir.join(file);
    // The nearest folder that is there already, behind all links.
    let existing = path.ancestors().find(|ancestor| ancestor.exists());
    let real = existing.and_then(|ancestor| ancestor.canonicalize().ok());
    match (real, dir.canonicalize()) {
        (Some(real), Ok(dir)) if real.starts_with(&dir) => Ok(path),
        _ => Err(outside()),
    }
}

async fn generate(cx: &mut Context<'_>, generator: HardwareGenerator) -> Result<Vec<u8>, Failure> {
    let command = match generator {
        // On the installed host the file systems are those of the configuration as well.
        HardwareGenerator::NixosGenerateConfig => RemoteCommand::new("nixos-generate-config")
            .args(["--no-filesystems", "--show-hardware-config"]),
        HardwareGenerator::NixosFacter => RemoteCommand::new("nixos-facter"),
    };
    let program = command.words()[0].clone();
    // Drivers are looked up one by one, which takes a while on slow machines.
    let command = command.as_root().limit(cx.world.limits.command * 5);
    let output = cx.remote().await?.run(&command).await?;
    if output.code == Some(127) {
        let place = match cx.side {
            Side::Installer => "the installer",
            Side::Installed => "the host",
        };
        return Err(Failure::new(format!("{place} has no {program}"))
            .hint("start the target from a NixOS installer image")
            .hint("or leave the phase out with --skip hardware"));
    }
    let mut content = output.success(&command)?.stdout;
    if !content.ends_with(b"\n") {
        content.push(b'\n');
    }
    Ok(content)
}

/// What a machine says goes into a file of the user's only if it parses.
async fn check(
    cx: &Context<'_>,
    generator: HardwareGenerator,
    content: &[u8],
) -> Result<(), Failure> {
    let unsound = |why: String| {
        Failure::new(format!("what the target says of its hardware is not sound: {why}"))
            .hint("nothing was written")
    };
    if content.trim_ascii().is_empty() {
        return Err(unsound("it is empty".to_owned()));
    }
    match generator {
        HardwareGenerator::NixosFacter => {
            let value: Result<serde_json::Map<String, serde_json::Value>, _> =
                serde_json::from_slice(content);
            value.map(drop).map_err(|error| unsound(error.to_string()))
        }
        HardwareGenerator::NixosGenerateConfig => {
            let command = Command::new("nix-instantiate").args(["--parse", "-"]);
            let command = command.stdin_bytes(content);
            let limit = cx.world.limits.command;
            let output = cx.world.runner.run_within(&command, limit).await?;
            if output.ok() { Ok(()) } else { Err(unsound(output.error_text())) }
        }
    }
}

fn read_old(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match std::fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(format!("{}: {error}", path.display()))),
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| files::write(path, content))
        .map_err(|error| Failure::new(format!("{} could not be written: {error}", path.display())))
}

/// A flake sees only what git knows. Was the file unknown?
async fn make_known(cx: &Context<'_>, dir: &Path, file: &str) -> Result<bool, Failure> {
    let repo = Repo::new(dir);
    if !repo.is_work_tree(cx).await? || repo.knows(cx, file).await? {
        return Ok(false);
    }
    let command = repo.command(&["add", "--intent-to-add", "--", file]);
    let output = cx.world.runner.run_within(&command, cx.world.limits.command).await?;
    output.success(&command).map_err(|error| {
        Failure::from(error).hint(format!(
            "a flake does not see {file} until git knows it; is it ignored by .gitignore?"
        ))
    })?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_stays_inside_the_flake() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("hosts/grief")).unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("hosts/link")).unwrap();
        assert!(place(dir.path(), "hosts/grief/hardware-configuration.nix").is_ok());
        assert!(place(dir.path(), "new/folder/x.nix").is_ok());
        for bad in ["", "../x.nix", "/etc/x.nix", "hosts/../../x.nix", "hosts/link/x.nix"] {
            assert!(place(dir.path(), bad).is_err(), "{bad:?} was accepted");
        }
    }
}
