//! Byte offsets as lines and columns. Only wanted for messages, so nothing is kept for it.

/// A place in a source as people count: from 1, the column in bytes, as C++ Nix does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineColumn {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// The place of byte `offset` in `source`; an offset past the end counts as the end. A line ends
/// with LF, CR LF or a lone CR.
#[must_use]
pub fn line_column(source: &[u8], offset: u32) -> LineColumn {
    let before = &source[..source.len().min(offset as usize)];
    let (mut line, mut start) = (1, 0);
    for (at, byte) in before.iter().enumerate() {
        let ends_line = match byte {
            b'\n' => true,
            // CR LF is one end of line, which the LF counts for.
            b'\r' => source.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        if ends_line {
            line += 1;
            start = at + 1;
        }
    }
    LineColumn { line, column: u32::try_from(before.len() - start).unwrap_or(u32::MAX - 1) + 1 }
}

/// The byte offsets at which the lines of `source` begin, for many places in one text: the line of an
/// offset is how many of these are not behind it.
#[must_use]
pub fn line_starts(source: &[u8]) -> Vec<u32> {
    let ends = source.iter().enumerate().filter(|&(at, byte)| match byte {
        b'\n' => true,
        b'\r' => source.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    // Sources are at most 4 GiB.
    let starts = ends.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX));
    std::iter::once(0).chain(starts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_any_of_the_three_ends() {
        let source = b"ab\ncd\r\nef\rgh";
        let at = |offset| {
            let place = line_column(source, offset);
            (place.line, place.column)
        };
        assert_eq!(
            [at(0), at(3), at(4), at(7), at(10), at(99)],
            [(1, 1), (2, 1), (2, 2), (3, 1), (4, 1), (4, 3)]
        );
        assert_eq!(line_starts(source), [0, 3, 7, 10]);
    }
}
