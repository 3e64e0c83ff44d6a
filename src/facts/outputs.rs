//! `config.system.build`: the derivations that the tool builds or copies.

use super::decode::{Decoded, Decoder};
use super::model::{Derivation, Outputs};

/// Reads them from the value of `config.system.build`.
pub(super) fn outputs(build: &Decoder<'_>) -> Decoded<Outputs> {
    let output = |name| build.read_at(&[name], derivation);
    Ok(Outputs {
        toplevel: output("toplevel")?,
        disko_script: output("diskoScript")?,
        mount_script: output("mountScript")?,
        iso_image: output("isoImage")?,
    })
}

fn derivation(derivation: &Decoder<'_>) -> Decoded<Derivation> {
    Ok(Derivation {
        drv_path: derivation.require("drvPath", "a store path")?.parse()?,
        out_path: derivation.require("outPath", "a store path")?.parse()?,
    })
}
