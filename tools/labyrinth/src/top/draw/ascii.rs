// SPDX-License-Identifier: GPL-2.0

//! Converts a screen for terminals that know only ASCII.

use ratatui::{buffer::Buffer, layout::Rect};

/// Replaces each character beyond ASCII by a similar one.
pub(super) fn translate(area: Rect, buffer: &mut Buffer) {
    for row in area.rows() {
        for position in row.positions() {
            let cell = &mut buffer[position];
            if !cell.symbol().is_ascii() {
                let similar = similar(cell.symbol());
                cell.set_symbol(similar);
            }
        }
    }
}

fn similar(symbol: &str) -> &'static str {
    match symbol {
        "▁" => "_",
        "▂" => ".",
        "▃" => ":",
        "▄" => "-",
        "▅" => "=",
        "▆" => "+",
        "▇" => "*",
        "█" => "#",
        "░" => ".",
        "µ" => "u",
        "≤" => "<",
        "…" => "~",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::translate;
    use ratatui::{buffer::Buffer, layout::Rect, style::Style};

    #[test]
    fn everything_becomes_ascii() {
        let area = Rect::new(0, 0, 12, 1);
        let mut buffer = Buffer::empty(area);
        buffer.set_string(0, 0, "4µs ▁█ é", Style::new());
        translate(area, &mut buffer);
        let text: String = (0..12).map(|x| buffer[(x, 0)].symbol()).collect();
        assert_eq!(text.trim_end(), "4us _# ?");
    }
}
