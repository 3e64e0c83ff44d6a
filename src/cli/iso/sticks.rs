//! Which disks are written: those that were named, or those that are picked; and the user's word for it.

use super::Args;
use super::errors::changed;
use crate::cli::error::CliError;
use crate::cli::output::{Output, print};
use crate::install::context::{Failure, FailureKind};
use crate::install::event::{PromptError, Prompter};
use crate::iso::device::Disk;
use crate::iso::find;
use crate::iso::judge::{Target, Wishes, judge};
use crate::process::Runner;
use crate::ui::iso::{in_one_line, render_targets};
use crate::ui::prompts::TerminalPrompter;
use crate::ui::terminal::say;

/// The disks that may be erased, and that the user wants to be. None where the image alone is wanted.
pub(super) async fn chosen(
    args: &Args,
    runner: &dyn Runner,
    image_size: Option<u64>,
    output: &Output,
) -> Result<Vec<Target>, CliError> {
    let terminal = TerminalPrompter::available() && !args.json;
    let disks = if !args.devices.is_empty() {
        named(args, runner).await?
    } else if terminal && args.output.is_none() {
        picked(runner).await?
    } else {
        return Ok(Vec::new());
    };
    let targets = judged(args, disks, image_size)?;
    if !targets.is_empty() && !args.yes {
        confirm(&targets, terminal, output)?;
    }
    Ok(targets)
}

/// Looks at the disks once more, right before they are written.
pub(super) async fn again(
    args: &Args,
    runner: &dyn Runner,
    targets: &[Target],
    image_size: u64,
) -> Result<Vec<Target>, CliError> {
    let mut disks = Vec::new();
    for target in targets {
        let before = &target.disk;
        let disk = find::named(runner, before.live.path.as_ref()).await?;
        if !before.is_same(&Disk { named: before.named.clone(), ..disk.clone() }) {
            let path = &before.live.path;
            return Err(changed(format!(
                "{path} is another medium than the one that was confirmed"
            ))
            .hint("nothing was erased; run the command again"));
        }
        disks.push(disk);
    }
    judged(args, disks, Some(image_size))
}

async fn named(args: &Args, runner: &dyn Runner) -> Result<Vec<Disk>, CliError> {
    let mut disks: Vec<Disk> = Vec::new();
    for path in &args.devices {
        let disk = find::named(runner, path).await?;
        if disks.iter().any(|other| other.live.path == disk.live.path) {
            return Err(CliError::usage(format!("the disk {} is named twice", disk.live.path)));
        }
        disks.push(disk);
    }
    Ok(disks)
}

async fn picked(runner: &dyn Runner) -> Result<Vec<Disk>, CliError> {
    let mut disks = find::removable(runner).await?;
    if disks.is_empty() {
        say("no removable disk is plugged in: the image is not written to one");
        return Ok(disks);
    }
    let mut choices = vec!["none: only the image".to_owned()];
    choices.extend(disks.iter().map(in_one_line));
    let picked = TerminalPrompter::pick("Write the image to which disk?", &choices);
    match picked.map_err(|error| stopped(&error))?.checked_sub(1) {
        Some(index) if index < disks.len() => Ok(vec![disks.swap_remove(index)]),
        _ => Ok(Vec::new()),
    }
}

/// All of them may be erased, or nothing is done.
fn judged(args: &Args, disks: Vec<Disk>, size: Option<u64>) -> Result<Vec<Target>, CliError> {
    let wishes =
        Wishes { allow_fixed: args.allow_fixed_disk, unmount: args.unmount, image_size: size };
    Ok(disks.into_iter().map(|disk| judge(disk, &wishes)).collect::<Result<_, _>>()?)
}

fn confirm(targets: &[Target], terminal: bool, output: &Output) -> Result<(), CliError> {
    if !terminal {
        return Err(CliError::usage(
            "this has to be confirmed, but there is no terminal to ask on",
        )
        .hint("--yes confirms it beforehand"));
    }
    let disks: Vec<&Disk> = targets.iter().map(|target| &target.disk).collect();
    print(&render_targets(&disks, &output.style))?;
    let names: Vec<&str> = disks.iter().map(|disk| disk.name()).collect();
    let question = format!("Erase {}?", names.join(" and "));
    let word = names.join(" ");
    let yes = TerminalPrompter::default().confirm_word(&question, &word);
    let yes = yes.map_err(|error| stopped(&error))?;
    if yes { Ok(()) } else { Err(stopped_by("nothing was erased")) }
}

fn stopped(error: &PromptError) -> CliError {
    stopped_by(&format!("nothing was erased: {error}"))
}

fn stopped_by(text: &str) -> CliError {
    Failure::new(text).kind(FailureKind::Stopped).into()
}
