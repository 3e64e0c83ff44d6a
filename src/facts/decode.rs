//! Reading evaluated values with the option path in hand, so that a value of the wrong shape is
//! reported where the user wrote it.

/// An option whose value has the wrong shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option} must be {expected}, but it is {found}")]
pub struct DecodeError {
    /// The option's path as the user knows it, such as
    /// `nixosConfigurations.grief.config.disko.devices.disk.main.device`.
    pub option: String,
    /// What was expected, as a noun phrase.
    pub expected: String,
    /// What was found, as a noun phrase.
    pub found: String,
}
