//! The derivation of an installer image: which attribute of a flake it is, and its paths.

use async_trait::async_trait;
use serde::Deserialize;

use super::evaluator::EvalError;

/// The Nix function that turns an attribute's value into what [`decode`] reads.
pub(super) const IMAGE_NIX: &str = include_str!("image.nix");

/// Whoever can find the image in a flake.
#[async_trait]
pub trait Images: Send + Sync {
    /// The image that the first of these attributes that the flake has is: a derivation, or a NixOS configuration
    /// that makes an image. Its derivation is in the store then.
    async fn image(&self, flake: &str, attrs: &[&str]) -> Result<Image, EvalError>;
}

/// An image that can be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The attribute that it was found under.
    pub attr: String,
    /// Store path of the `.drv` file.
    pub drv_path: String,
    /// Store path of what it builds.
    pub out_path: String,
}

/// That nothing was looked for.
pub(super) fn nothing_asked() -> EvalError {
    EvalError::NoSuchOutput { message: "no attribute was named".to_owned() }
}

/// What the function gives.
#[derive(Deserialize)]
struct Paths {
    drv: String,
    out: String,
}

/// Reads what the function gave for an attribute.
pub(super) fn decode(flake: &str, attr: &str, json: &[u8]) -> Result<Image, EvalError> {
    let not_json = |reason: String| EvalError::NotJson { reason };
    let paths: Option<Paths> =
        serde_json::from_slice(json).map_err(|error| not_json(error.to_string()))?;
    let Some(Paths { drv, out }) = paths else {
        return Err(EvalError::NoImage { flake: flake.to_owned(), attr: attr.to_owned() });
    };
    if !drv.starts_with('/') || drv.strip_suffix(".drv").is_none() {
        return Err(not_json(format!("{drv:?} is no derivation's path")));
    }
    Ok(Image { attr: attr.to_owned(), drv_path: drv, out_path: out })
}
