// SPDX-License-Identifier: GPL-2.0

//! The table of contexts.

use super::{
    text::{latency, put_cells, put_chart, put_heads, rate, Column},
    Look, Screen,
};
use crate::top::view::Context;
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

const fn word(head: &'static str, width: u16) -> Column {
    Column {
        head,
        width,
        is_number: false,
    }
}

const fn number(head: &'static str, width: u16) -> Column {
    Column {
        head,
        width,
        is_number: true,
    }
}

const WIDE: [Column; 8] = [
    word("", 1),
    word("context", 14),
    word("flags", 10),
    number("pages/s", 7),
    number("fail/s", 6),
    number("p50 ≤", 6),
    number("p99 ≤", 6),
    number("max ≤", 6),
];
const NARROW: [Column; 6] = [
    word("", 1),
    word("context", 13),
    word("flags", 6),
    number("/s", 5),
    number("fail", 5),
    number("p99 ≤", 5),
];
/// The least width of the wide table with a chart.
const WIDTH: u16 = 72;

/// Draws the table, or the part that has the selected context.
pub(super) fn draw(screen: Screen<'_>, area: Rect, buffer: &mut Buffer) {
    let contexts = &screen.view.contexts;
    let shown = usize::from(area.height.saturating_sub(1));
    let selected = screen.selected.min(contexts.len().saturating_sub(1));
    let first = (selected + 1).saturating_sub(shown);
    let wide = area.width >= WIDTH;
    let columns: &[Column] = if wide { &WIDE } else { &NARROW };

    put_heads(buffer, area, columns, screen.look.heading());
    let rows = contexts.iter().enumerate().skip(first);
    for (row, (index, context)) in area.rows().skip(1).zip(rows) {
        let cells = cells(context, index == selected, wide, screen.look);
        let cells = cells.iter().map(|(text, style)| (text.as_str(), *style));
        let end = put_cells(buffer, row, columns, cells);
        if end < row.width {
            let place = Rect {
                x: row.x + end,
                width: row.width - end,
                ..row
            };
            put_chart(buffer, place, &context.chart, screen.look.chart());
        }
    }
}

fn cells(context: &Context, selected: bool, wide: bool, look: Look) -> Vec<(String, Style)> {
    let plain = Style::new();
    let name = if context.running { look.bold() } else { plain };
    let failing = if context.failures_per_second > Some(0.0) {
        look.bad()
    } else {
        plain
    };
    let flags = if wide {
        context.gfp.as_str()
    } else {
        context.gfp.trim_start_matches("GFP_")
    };
    let mut cells = vec![
        ((if selected { ">" } else { " " }).to_owned(), look.bold()),
        (context.context.clone(), name),
        (flags.to_owned(), plain),
        (rate(context.successes_per_second), plain),
        (rate(context.failures_per_second), failing),
    ];

    if wide {
        cells.push((latency(context.latency.p50_ns), plain));
    }
    cells.push((latency(context.latency.p99_ns), plain));
    if wide {
        cells.push((latency(context.latency.max_ns), plain));
    }
    cells
}
