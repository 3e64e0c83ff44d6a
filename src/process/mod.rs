//! Running programs: a command as data, and the [`Runner`] that runs it, real or scripted.
//!
//! The only room that uses `std::process` and `tokio::process`. It knows nothing of what the
//! programs mean, except for [`nix`], whose log format every room above reads.

mod command;
mod dialogue;
pub mod nix;
pub mod nix_log;
pub mod nix_run;
mod own;
mod replace;
mod runner;
pub mod scripted;

pub use command::{Command, Stdin};
pub use dialogue::Dialogue;
pub use own::{find_program, this_program};
pub use replace::replace;
pub use runner::{Error, Line, LineSink, Output, RealRunner, Runner, Stream};
pub(crate) use runner::{collect, lines};
