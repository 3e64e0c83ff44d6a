//! `iso [DEVICE…]`

mod errors;
mod image;
mod pin;
mod root;
mod sticks;
mod write;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;

use super::error::{CliError, exit_code};
use super::flake_args::FlakeArgs;
use super::output::{Output, print};
use super::signals::{Words, cancel_saying};
use crate::install::context::FailureKind;
use crate::iso::copy;
use crate::iso::digest::Algorithm;
use crate::iso::event::{Event, Outcome, Reporter};
use crate::iso::flash::Verify;
use crate::iso::image::{Content, Image};
use crate::process::RealRunner;
use crate::ui::iso::{Bars, Json, Lines, render_outcomes};
use pin::Pin;

/// Build the installer image, and write it to USB sticks
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = "Examples:\n  nixos-bootstrap iso\n  \
                        nixos-bootstrap iso /dev/sdX\n  \
                        nixos-bootstrap iso --image installer.iso.zst /dev/sdX /dev/sdY\n  \
                        nixos-bootstrap iso --output installer.iso")]
pub(super) struct Args {
    /// The disks that the image is written to; everything on them is lost
    ///
    /// Without one, on a terminal, the removable disks that are there are offered.
    #[arg(value_name = "DEVICE")]
    devices: Vec<PathBuf>,
    #[command(flatten)]
    flake: FlakeArgs,
    /// The attribute of the flake that is the image
    #[arg(long, value_name = "ATTR", help_heading = "Image")]
    attr: Option<String>,
    /// Build nothing: take this file (.iso, .img; .zst and .xz are unpacked)
    #[arg(long, value_name = "FILE", conflicts_with = "attr", help_heading = "Image")]
    image: Option<PathBuf>,
    /// Copy the image to this file, unpacked
    #[arg(long, value_name = "FILE", help_heading = "Image")]
    output: Option<PathBuf>,
    /// Give the installer a new ssh host key, which `bootstrap` knows: no stranger can stand in for it
    ///
    /// What is written holds the private key: keep it to yourself, and write it anew after use.
    #[arg(long, help_heading = "Image")]
    pin_host_key: bool,
    /// The installer's host key is on standard input, and known already: how the writing part is called as root
    #[arg(long, hide = true, conflicts_with_all = ["pin_host_key", "output"])]
    host_key_from_stdin: bool,
    /// Do not ask: erase the disks that are named
    #[arg(short, long, requires = "devices", help_heading = "Writing")]
    yes: bool,
    /// Do not read back what was written
    #[arg(long, help_heading = "Writing")]
    no_verify: bool,
    /// How what is read back is compared with the image
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "ALGORITHM",
        conflicts_with = "no_verify",
        help_heading = "Writing"
    )]
    digest: DigestArg,
    /// Allow disks that are not removable, and loop devices
    #[arg(long, help_heading = "Writing")]
    allow_fixed_disk: bool,
    /// Unmount what is mounted from a removable disk
    #[arg(long, help_heading = "Writing")]
    unmount: bool,
    /// Write events as JSON lines to standard output
    #[arg(long)]
    pub(super) json: bool,
}

/// Values of `--digest`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum DigestArg {
    /// BLAKE3: keeps up with any disk
    #[default]
    Blake3,
    /// SHA-256: slower; shown at the end, to be compared with the sum that an image was published with
    Sha256,
}

impl Args {
    /// Is what is written read back, and how is it compared?
    fn verify(&self) -> Verify {
        match (self.no_verify, self.digest) {
            (true, _) => Verify::No,
            (false, DigestArg::Blake3) => Verify::By(Algorithm::Blake3),
            (false, DigestArg::Sha256) => Verify::By(Algorithm::Sha256),
        }
    }
}

const WORDS: Words = Words {
    stopping: "stopping: a disk that is being written is left as soon as it answers (again to stop at once)",
    stopped: "stopped at once: a disk that was being written holds neither what it had nor the image; write it again",
};

/// Makes or takes the image, and writes it. Every question is asked before anything is built or erased.
pub(super) async fn run(args: Args, output: &Output) -> Result<ExitCode, CliError> {
    let cancel = cancel_saying(WORDS)?;
    let runner = RealRunner::new(cancel.clone());
    let reporter = reporter(&args, output);
    // What can be said before anything is built.
    let named = args.image.as_deref().map(Image::open).transpose()?;
    if let Some(file) = &args.output {
        copy::check(named.as_ref(), file)?;
    }
    let size = named.as_ref().map(|image| image.size);
    if args.pin_host_key && !output.live && args.devices.is_empty() && args.output.is_none() {
        return Err(pin::nowhere());
    }
    let targets = sticks::chosen(&args, &runner, size, output).await?;
    if targets.is_empty() && args.output.is_none() && args.image.is_some() {
        return Err(CliError::usage("there is nothing to do with the image")
            .hint("name a disk to write it to, or a file to copy it to with --output FILE"));
    }
    let image = if let Some(image) = named {
        image
    } else {
        let file = image::built(&args, output, &cancel).await?;
        if targets.is_empty() && args.output.is_none() {
            return if args.pin_host_key { Err(pin::nowhere()) } else { Ok(ExitCode::SUCCESS) };
        }
        Image::open(&file)?
    };
    let pin = Pin::wanted(&args, &targets)?;
    let image = pin.iter().try_fold(image, |image, pin| pin.put_into(image))?;
    tell(&image, reporter.as_ref());
    let job = write::Job { args: &args, image: Arc::new(image), pin, reporter, cancel, runner };
    let mut outcomes = Vec::new();
    if let Some(file) = &args.output {
        outcomes.push(job.copy(file).await?);
    }
    if !targets.is_empty() {
        outcomes.extend(job.write(&targets).await?);
    }
    if !args.json {
        print(&render_outcomes(&outcomes, &output.style))?;
    }
    Ok(code(&outcomes))
}

fn reporter(args: &Args, output: &Output) -> Arc<dyn Reporter> {
    if args.json {
        Arc::new(Json::new(std::io::stdout()))
    } else if output.live {
        Arc::new(Bars::new())
    } else {
        Arc::new(Lines::default())
    }
}

fn tell(image: &Image, reporter: &dyn Reporter) {
    reporter.event(&Event::Reading {
        path: image.path.to_string_lossy().into_owned(),
        size: image.size,
        packing: image.packing,
        content: image.content.clone(),
    });
    if matches!(image.content, Content::Iso { hybrid: false, .. }) {
        let text = "the image has no partition table beside its ISO 9660 volume: few machines start from a stick \
                    with it";
        reporter.event(&Event::Warning { text: text.to_owned() });
    }
}

fn code(outcomes: &[Outcome]) -> ExitCode {
    if outcomes.iter().any(|outcome| outcome.stopped) {
        exit_code(FailureKind::Stopped)
    } else if outcomes.iter().any(|outcome| outcome.error.is_some()) {
        exit_code(FailureKind::Failed)
    } else {
        ExitCode::SUCCESS
    }
}
