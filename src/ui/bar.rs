//! A disk as a bar, drawn to scale.

use unicode_width::UnicodeWidthStr;

use super::text::{Ink, Kind, Line, Style, cut};

/// A piece of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Upper label.
    pub(super) name: String,
    /// Lower label; short, such as `19.5G`.
    pub(super) size: String,
    /// Share of the bar.
    pub(super) weight: u64,
    /// Colour.
    pub(super) kind: Kind,
}

/// Columns that a small piece may have more than its share, so that its label can be read.
const LABEL: usize = 5;

/// Draws `pieces` as a box of `width` columns: four lines.
pub(super) fn draw(pieces: &[Piece], width: usize, style: Style) -> Vec<Line> {
    let inside = width.saturating_sub(pieces.len() + 1);
    let least: Vec<usize> = pieces.iter().map(|piece| least(piece, inside, pieces.len())).collect();
    let weights: Vec<u64> = pieces.iter().map(|piece| piece.weight).collect();
    let cells = share(&weights, &least, inside);
    let side = style.pick("│", "|");
    let row = |label: fn(&Piece) -> &str| {
        let mut line = Line::new().with(side, Ink::Dim);
        for (piece, cell) in pieces.iter().zip(&cells) {
            line =
                line.with(&centred(label(piece), *cell, piece.kind, style), Ink::Fill(piece.kind));
            line = line.with(side, Ink::Dim);
        }
        line
    };
    vec![
        edge(&cells, style, ["┌", "┬", "┐"]),
        row(|piece| &piece.name),
        row(|piece| &piece.size),
        edge(&cells, style, ["└", "┴", "┘"]),
    ]
}

fn edge(cells: &[usize], style: Style, corners: [&'static str; 3]) -> Line {
    let [left, middle, right] = corners.map(|corner| style.pick(corner, "+"));
    let runs: Vec<String> = cells.iter().map(|cell| style.pick("─", "-").repeat(*cell)).collect();
    Line::new().with(&format!("{left}{}{right}", runs.join(middle)), Ink::Dim)
}

fn centred(label: &str, cell: usize, kind: Kind, style: Style) -> String {
    let fill = if kind == Kind::Free { style.pick("░", ".") } else { " " };
    // A label that leaves no gap beside it looks torn; better cut it a little.
    let label = if label.width() > cell { cut(label, cell, style) } else { label.to_owned() };
    let gap = cell.saturating_sub(label.width());
    let padded = if gap >= 2 && kind == Kind::Free { format!(" {label} ") } else { label };
    let gap = cell.saturating_sub(padded.width());
    format!("{}{padded}{}", fill.repeat(gap / 2), fill.repeat(gap - gap / 2))
}

/// The columns that a piece gets at least: its labels where there is room for all, else 1.
fn least(piece: &Piece, inside: usize, count: usize) -> usize {
    let fair = inside / (2 * count.max(1));
    let label = piece.name.width().max(piece.size.width()).min(LABEL);
    if piece.kind == Kind::Free { 1 } else { label.min(fair).max(1) }
}

/// Shares `total` columns out by weight, none with fewer than its least.
fn share(weights: &[u64], least: &[usize], total: usize) -> Vec<usize> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if sum == 0 {
        let equal = vec![1; weights.len()];
        return if equal.is_empty() { Vec::new() } else { share(&equal, least, total) };
    }
    let mut cells: Vec<usize> = weights
        .iter()
        .zip(least)
        .map(|(weight, least)| {
            let exact = u128::from(*weight) * total as u128 / sum;
            usize::try_from(exact).unwrap_or(total).max(*least)
        })
        .collect();
    // What rounding left over goes to the largest; what the small ones took comes from there.
    while cells.iter().sum::<usize>() != total {
        let over = cells.iter().sum::<usize>() > total;
        let spare =
            |index: &usize| if over { cells[*index] - least[*index] } else { cells[*index] };
        let Some(index) = (0..cells.len()).max_by_key(|index| (spare(index), usize::MAX - index))
        else {
            break;
        };
        match over {
            true if cells[index] > least[index] => cells[index] -= 1,
            true => break,
            false => cells[index] += 1,
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_to_scale_and_use_every_column() {
        assert_eq!(share(&[1, 1], &[1, 1], 10), [5, 5]);
        assert_eq!(share(&[1, 3], &[1, 1], 40), [10, 30]);
        // A tiny one keeps its least, taken from the largest.
        assert_eq!(share(&[1, 1_000_000], &[3, 4], 60), [3, 57]);
        assert_eq!(share(&[0, 0], &[1, 1], 9), [5, 4]);
        assert_eq!(share(&[], &[], 9), [0; 0]);
        for total in 12..80 {
            let cells = share(&[512, 19_000, 8_000, 3], &[3, 3, 3, 3], total);
            assert_eq!(cells.iter().sum::<usize>(), total);
            assert!(cells.iter().all(|cell| *cell >= 3));
        }
    }

    #[test]
    fn every_line_of_a_bar_has_the_width() {
        let piece = |name: &str, weight, kind| Piece {
            name: name.to_owned(),
            size: "1 GiB".to_owned(),
            weight,
            kind,
        };
        let pieces = [
            piece("ESP", 1, Kind::Boot),
            piece("a very long name of a partition", 50, Kind::Files),
            piece("free", 9, Kind::Free),
        ];
        for width in [20, 40, 77] {
            let style = Style { width, colour: false, unicode: true };
            let lines = draw(&pieces, width, style);
            assert!(lines.iter().all(|line| line.width() == width), "{lines:?}");
        }
    }
}
