//! `config.bootstrap.target`: where the machine is reached.

use super::decode::{Decoded, Decoder};
use super::model::TargetFacts;

/// Reads it from `config`.
pub(super) fn target(config: &Decoder<'_>) -> Decoded<TargetFacts> {
    let Some(target) = config.at(&["bootstrap", "target"])? else {
        return Ok(TargetFacts::default());
    };
    Ok(TargetFacts {
        host: target.read_at(&["host"], Decoder::parse)?,
        port: target.read_at(&["port"], Decoder::port)?,
        user: target.read_at(&["user"], Decoder::parse)?,
        identity_file: target.read_at(&["identityFile"], Decoder::text)?,
    })
}
