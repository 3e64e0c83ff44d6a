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
    if !derivation.is_set() {
        return Err(derivation.wrong("a derivation"));
    }
    let path = |name, attribute| {
        let option = format!("{}.{attribute}", derivation.option());
        derivation.require(name, "a store path").map(|path| path.named(option))?.parse()
    };
    Ok(Derivation { drv_path: path("drv", "drvPath")?, out_path: path("out", "outPath")? })
}
