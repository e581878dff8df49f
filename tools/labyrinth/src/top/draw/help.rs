// SPDX-License-Identifier: GPL-2.0

//! The keys.

use super::{text::put, Look};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

const LINES: [(&str, &str); 8] = [
    ("q, ctrl-C", "end"),
    ("p, space", "freeze the screen, or continue"),
    ("r", "reset least and peak values"),
    ("1 to 9", "select a context"),
    ("arrows, j k", "select the next or previous"),
    ("ctrl-L", "draw everything again"),
    ("?, h", "show this, or the numbers"),
    ("", "Rates: 1 s. p50, p99, max, bars: 10 s."),
];

/// Draws the keys.
pub(super) fn draw(look: Look, area: Rect, buffer: &mut Buffer) {
    let mut rows = area.rows();

    if let Some(row) = rows.next() {
        put(buffer, row, 0, "labyrinth top: keys", look.bold());
    }
    for (row, (key, text)) in rows.zip(LINES) {
        let start = if key.is_empty() { 0 } else { 12 };
        put(buffer, row, 0, key, look.bold());
        put(buffer, row, start, text, Style::new());
    }
}
