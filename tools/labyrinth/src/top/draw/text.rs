// SPDX-License-Identifier: GPL-2.0

//! Text, numbers and charts in cells.

use crate::{top::view::Chart, units};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

/// Blocks of ascending heights.
pub(super) const BLOCKS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Puts a text into the first row of an area, at a column. Returns the column behind it. Leaves out
/// the part that does not fit, and control characters, which names can have.
pub(super) fn put(buffer: &mut Buffer, area: Rect, column: u16, text: &str, style: Style) -> u16 {
    if area.height == 0 || column >= area.width {
        return column;
    }
    let room = usize::from(area.width - column);
    let (end, _) = buffer.set_stringn(area.x + column, area.y, text, room, style);

    end - area.x
}

/// Puts a text at the right end of the first row of an area.
pub(super) fn put_right(buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
    let width = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);

    put(buffer, area, area.width.saturating_sub(width), text, style);
}

/// Puts the newest values of a chart into an area, from left to right. The largest of them gets the
/// whole height of the area.
pub(super) fn put_chart(buffer: &mut Buffer, area: Rect, chart: &Chart, style: Style) {
    let newest = chart
        .iter()
        .skip(chart.len().saturating_sub(usize::from(area.width)));
    let most = newest.clone().copied().max().unwrap_or(0);

    for (column, &value) in (area.x..).zip(newest) {
        put_bar(
            buffer,
            Rect {
                x: column,
                width: 1,
                ..area
            },
            value as f64,
            most as f64,
            style,
        );
    }
}

/// Puts a bar into an area. The bar of a value above 0 is always visible.
pub(super) fn put_bar(buffer: &mut Buffer, area: Rect, value: f64, most: f64, style: Style) {
    let area = area.intersection(buffer.area);
    let rows = area.height;
    let full = f64::from(rows) * 8.0;
    let eighths = if value <= 0.0 || most <= 0.0 || rows == 0 {
        0
    } else {
        ((value / most * full).round() as u16).clamp(1, rows * 8)
    };

    for row in 0..rows {
        let here = eighths.saturating_sub(row * 8).min(8);
        let y = area.bottom() - 1 - row;
        for x in area.left()..area.right() {
            buffer[(x, y)]
                .set_symbol(BLOCKS[usize::from(here)])
                .set_style(style);
        }
    }
}

/// Returns a rate, or a dash if there is none yet.
pub(super) fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| "-".to_owned(), units::short)
}

/// Returns a latency in at most six characters, such as "4.1µs", or a dash if there is none.
pub(super) fn latency(nanos: Option<u64>) -> String {
    nanos.map_or_else(|| "-".to_owned(), short_time)
}

fn short_time(nanos: u64) -> String {
    const UNITS: [(f64, &str); 3] = [(1e9, "s"), (1e6, "ms"), (1e3, "µs")];
    let value = nanos as f64;
    // 999.5 or more of a unit rounds up to 1 of the next unit.
    let (size, unit) = UNITS
        .into_iter()
        .find(|(size, _)| value >= 0.9995 * size)
        .unwrap_or((1.0, "ns"));
    let scaled = value / size;

    if scaled < 9.95 && unit != "ns" {
        format!("{scaled:.1}{unit}")
    } else {
        format!("{scaled:.0}{unit}")
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// The heading.
    pub(super) head: &'static str,
    /// The width.
    pub(super) width: u16,
    /// Whether the column has numbers, which are aligned to the right.
    pub(super) is_number: bool,
}

/// Puts cells into the first row of an area, one column apart. Returns the column behind them.
pub(super) fn put_cells<'a>(
    buffer: &mut Buffer,
    area: Rect,
    columns: &[Column],
    cells: impl Iterator<Item = (&'a str, Style)>,
) -> u16 {
    let mut start = 0;

    for (column, (text, style)) in columns.iter().zip(cells) {
        let length = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
        let indent = if column.is_number {
            column.width.saturating_sub(length)
        } else {
            0
        };
        let cell = Rect {
            x: area.x + start,
            width: column.width.min(area.width.saturating_sub(start)),
            ..area
        };
        put(buffer, cell, indent, text, style);
        start += column.width + 1;
    }
    start
}

/// Puts the headings of columns into the first row of an area.
pub(super) fn put_heads(buffer: &mut Buffer, area: Rect, columns: &[Column], style: Style) {
    let row = Rect {
        height: area.height.min(1),
        ..area
    };

    buffer.set_style(row, style);
    put_cells(
        buffer,
        row,
        columns,
        columns.iter().map(|column| (column.head, style)),
    );
}

#[cfg(test)]
mod tests {
    use super::{latency, put, put_bar, put_chart, rate, BLOCKS};
    use ratatui::{buffer::Buffer, layout::Rect, style::Style};

    fn text(buffer: &Buffer, row: u16) -> String {
        (0..buffer.area.width)
            .map(|x| buffer[(x, row)].symbol())
            .collect()
    }

    #[test]
    fn the_largest_value_is_the_highest() {
        let area = Rect::new(0, 0, 4, 1);
        let mut buffer = Buffer::empty(area);
        put_chart(&mut buffer, area, &[900, 0, 1, 40, 80].into(), Style::new());
        assert_eq!(text(&buffer, 0), " ▁▄█");
    }

    #[test]
    fn bars_have_several_rows() {
        let area = Rect::new(0, 0, 1, 3);
        let mut buffer = Buffer::empty(area);
        put_bar(&mut buffer, area, 0.5, 1.0, Style::new());
        assert_eq!(
            [text(&buffer, 0), text(&buffer, 1), text(&buffer, 2)],
            [" ", "▄", "█"]
        );
        put_bar(&mut buffer, area, 1e-9, 1.0, Style::new());
        assert_eq!(text(&buffer, 2), BLOCKS[1]);
    }

    #[test]
    fn text_ends_at_the_edge_and_has_no_control_characters() {
        let area = Rect::new(0, 0, 6, 1);
        let mut buffer = Buffer::empty(area);
        assert_eq!(
            put(&mut buffer, area, 2, "a\x1b[2Jb\nlong", Style::new()),
            6
        );
        assert_eq!(text(&buffer, 0), "  a[2J");
        assert_eq!(put(&mut buffer, area, 9, "x", Style::new()), 9);
    }

    #[test]
    fn numbers_fit_into_their_columns() {
        assert_eq!(latency(Some(511)), "511ns");
        assert_eq!(latency(Some(1023)), "1.0µs");
        assert_eq!(latency(Some(4095)), "4.1µs");
        assert_eq!(latency(Some(16_383)), "16µs");
        assert_eq!(latency(Some(999_999)), "1.0ms");
        assert_eq!(latency(Some(68_719_476_735)), "69s");
        assert_eq!(
            (latency(None), rate(None), rate(Some(12.0))),
            ("-".into(), "-".into(), "12".into())
        );
        for power in 0..63 {
            assert!(
                latency(Some((1 << power) - 1)).chars().count() <= 6 || power > 43,
                "{power}"
            );
        }
    }
}
