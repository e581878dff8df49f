// SPDX-License-Identifier: GPL-2.0

//! The rows about the whole machine: headroom, failures, and notes on missing values.

use super::{
    text::{put, put_chart, rate},
    Screen,
};
use crate::{
    failures::{probe::Source, tally::Row},
    units,
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

/// The width of the names of rows.
const NAME: u16 = 10;
/// The least width of a chart. With less space, there is no chart.
const LEAST_CHART: u16 = 6;

/// Returns the lines of the notes on missing values.
pub(super) fn note_lines(screen: Screen<'_>, width: u16) -> impl Iterator<Item = &str> {
    let notes = screen.view.notes.iter();

    notes.flat_map(move |note| wrap(note, usize::from(width)))
}

/// The rows of the notes on missing values.
pub(super) fn notes(screen: Screen<'_>, area: Rect, buffer: &mut Buffer) {
    for (row, line) in area.rows().zip(note_lines(screen, area.width)) {
        put(buffer, row, 0, line, screen.look.warning());
    }
}

/// The row of the headroom.
pub(super) fn headroom(screen: Screen<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(headroom) = &screen.view.headroom else {
        return;
    };
    let number = |value: u64| units::short(value as f64);
    let style = if headroom.requests == 0 {
        screen.look.bad()
    } else {
        screen.look.bold()
    };

    put(buffer, area, 0, "headroom", Style::new());
    let end = put(buffer, area, NAME, &number(headroom.requests), style);
    let text = format!(
        " pages, least {} ({} to {})",
        number(headroom.least),
        number(headroom.at_least),
        number(headroom.at_most)
    );
    let end = put(buffer, area, end, &text, Style::new());
    chart(screen, &headroom.chart, end, area, buffer);
}

/// The row of all failures.
pub(super) fn failures(screen: Screen<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(failures) = &screen.view.failures else {
        return;
    };
    let style = if failures.failures == 0 {
        screen.look.bold()
    } else {
        screen.look.bad()
    };
    let source = match failures.source {
        Source::Kprobe => "kprobe",
        Source::Tracepoint => "tracepoint",
    };

    put(buffer, area, 0, "failures", Style::new());
    let end = put(buffer, area, NAME, &failures.failures.to_string(), style);
    let text = format!(", {}/s, by {source}", rate(failures.failures_per_second));
    let end = put(buffer, area, end, &text, Style::new());
    chart(screen, &failures.chart, end, area, buffer);
}

/// The rows of the most frequent failures.
pub(super) fn callers(screen: Screen<'_>, area: Rect, buffer: &mut Buffer) {
    let rows = screen
        .view
        .failures
        .iter()
        .flat_map(|failures| &failures.rows);

    for (line, row) in area.rows().zip(rows) {
        put(buffer, line, NAME, &caller(row), Style::new());
    }
}

/// Splits a text between words into lines of at most `width` characters.
fn wrap(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let (mut start, mut end, mut length, mut at) = (0, 0, 0, 0);

    for word in text.split(' ') {
        let characters = word.chars().count();
        if end > start && length + 1 + characters > width {
            lines.push(&text[start..end]);
            (start, length) = (at, characters);
        } else if end > start {
            length += 1 + characters;
        } else {
            length = characters;
        }
        end = at + word.len();
        at = end + 1;
    }
    if end > start {
        lines.push(&text[start..end]);
    }
    lines
}

fn caller(row: &Row) -> String {
    let key = &row.key;
    let mut text = row.count.to_string();

    for part in [
        key.caller.as_ref().map(ToString::to_string),
        key.context.map(|context| context.to_string()),
        key.order.map(|order| format!("order {order}")),
        key.flags.as_ref().map(ToString::to_string),
    ] {
        text.push_str("  ");
        text.push_str(part.as_deref().unwrap_or("?"));
    }
    text
}

/// Puts a chart behind a text.
fn chart(
    screen: Screen<'_>,
    chart: &crate::top::view::Chart,
    end: u16,
    area: Rect,
    buffer: &mut Buffer,
) {
    let start = (end + 2).max(area.width.min(48));
    let width = area.width.saturating_sub(start);

    if width >= LEAST_CHART {
        let place = Rect {
            x: area.x + start,
            width,
            ..area
        };
        put_chart(buffer, place, chart, screen.look.chart());
    }
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_end_between_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one two three", 40), ["one two three"]);
        // A word that is too long is cut off by the edge of the screen.
        assert_eq!(wrap("a-long-word it is", 5), ["a-long-word", "it is"]);
        assert_eq!(wrap("µµ µµ", 2), ["µµ", "µµ"]);
        assert!(wrap("", 5).is_empty());
    }
}
