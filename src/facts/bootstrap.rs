//! `config.bootstrap` beyond the target: what the tool's own module declares.

use super::decode::{Decoded, Decoder};
use super::model::{BootstrapOptions, HardwareGenerator};

/// Reads it from `config`.
pub(super) fn bootstrap(config: &Decoder<'_>) -> Decoded<BootstrapOptions> {
    let Some(bootstrap) = config.get("bootstrap")? else {
        return Ok(BootstrapOptions::default());
    };
    let text = |path: &[&str]| bootstrap.read_at(path, Decoder::text);
    Ok(BootstrapOptions {
        nix_config_path: text(&["nixConfig", "path"])?,
        secrets_repo: text(&["secrets", "repo"])?,
        secrets_file: text(&["secrets", "file"])?,
        secrets_age_key_path: text(&["secrets", "ageKeyPath"])?,
        secrets_host_key_path: text(&["secrets", "hostKeyPath"])?,
        hardware_generator: bootstrap.read_at(&["hardware", "generator"], generator)?,
        hardware_file: text(&["hardware", "file"])?,
        rebuild_command: text(&["rebuild", "command"])?,
    })
}

fn generator(generator: &Decoder<'_>) -> Decoded<HardwareGenerator> {
    match generator.str()? {
        "nixos-generate-config" => Ok(HardwareGenerator::NixosGenerateConfig),
        "nixos-facter" => Ok(HardwareGenerator::NixosFacter),
        _ => Err(generator.wrong("\"nixos-generate-config\" or \"nixos-facter\"")),
    }
}
