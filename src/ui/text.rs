//! Words and numbers for the terminal: the [`Style`], colours, human sizes, text that a machine
//! sent made harmless.

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal.
    pub width: usize,
    /// Use colours?
    pub colour: bool,
    /// Use box characters beyond ASCII?
    pub unicode: bool,
}
