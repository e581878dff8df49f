// SPDX-License-Identifier: GPL-2.0

//! The table of pools, with the rates and levels of their tiers.

use super::{
    text::{put, put_cells, put_chart, put_heads, rate, Column},
    Look, Screen,
};
use crate::{top::view::Pool, units};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

const fn number(head: &'static str, width: u16) -> Column {
    Column {
        head,
        width,
        is_number: true,
    }
}

const POOL: Column = Column {
    head: "pool",
    width: 12,
    is_number: false,
};
const WIDE: [Column; 8] = [
    POOL,
    number("cache/s", 7),
    number("buddy/s", 7),
    number("reserve/s", 9),
    number("emerg/s", 7),
    number("fail/s", 6),
    number("cached", 6),
    number("reserve", 9),
];
const NARROW: [Column; 4] = [
    POOL,
    number("/s", 5),
    number("fail", 5),
    number("reserve", 9),
];
/// The tiers of the wide table.
const TIERS: [&str; 4] = ["cache", "buddy", "reserve", "emergency"];
/// The least width of the wide table.
const WIDTH: u16 = 70;
/// The largest width of a gauge. A chart follows it.
const GAUGE: u16 = 10;

/// Draws the table. If there are too few rows, the last one says how many pools are missing.
pub(super) fn draw(screen: Screen<'_>, area: Rect, buffer: &mut Buffer) {
    let pools = &screen.view.pools;
    let wide = area.width >= WIDTH;
    let columns: &[Column] = if wide { &WIDE } else { &NARROW };
    let room = usize::from(area.height.saturating_sub(1));
    let shown = if pools.len() > room {
        room.saturating_sub(1)
    } else {
        room
    };
    let mut rows = area.rows();

    if rows.next().is_some() {
        put_heads(buffer, area, columns, screen.look.heading());
    }
    for pool in pools.iter().take(shown) {
        let Some(row) = rows.next() else { break };
        let cells = cells(pool, wide, screen.look);
        let cells = cells.iter().map(|(text, style)| (text.as_str(), *style));
        let end = put_cells(buffer, row, columns, cells);
        let end = gauge(pool, end, row, buffer, screen.look);
        if end < row.width {
            let place = Rect {
                x: row.x + end,
                width: row.width - end,
                ..row
            };
            put_chart(buffer, place, &pool.chart, screen.look.chart());
        }
    }
    if let (Some(row), true) = (rows.next(), pools.len() > shown) {
        let text = format!("… and {} more", pools.len() - shown);
        put(buffer, row, 0, &text, Style::new());
    }
}

fn cells(pool: &Pool, wide: bool, look: Look) -> Vec<(String, Style)> {
    let plain = Style::new();
    let failing = if pool.failures_per_second > Some(0.0) {
        look.bad()
    } else {
        plain
    };
    let empty = if pool.reserved == 0 && pool.reserve_target > 0 {
        look.warning()
    } else {
        plain
    };
    let of = |name: &str| {
        let tier = pool.tiers.iter().find(|tier| tier.tier == name);
        tier.and_then(|tier| tier.hits_per_second)
    };
    let number = |value: u64| units::short(value as f64);
    let reserve = format!("{}/{}", number(pool.reserved), number(pool.reserve_target));
    let mut cells = vec![(pool.pool.clone(), plain)];

    if wide {
        cells.extend(TIERS.map(|name| (rate(of(name)), plain)));
    } else {
        let all = pool.tiers.iter().map(|tier| tier.hits_per_second).sum();
        cells.push((rate(all), plain));
    }
    cells.push((rate(pool.failures_per_second), failing));
    if wide {
        cells.push((number(pool.cached), plain));
    }
    cells.push((reserve, empty));
    cells
}

/// Draws the gauge of a reserve. Returns the column behind it.
fn gauge(pool: &Pool, start: u16, row: Rect, buffer: &mut Buffer, look: Look) -> u16 {
    let width = row.width.saturating_sub(start).min(GAUGE);
    let full = u128::from(pool.reserved.min(pool.reserve_target)) * u128::from(width);
    let full = full
        .checked_div(u128::from(pool.reserve_target))
        .unwrap_or(0) as u16;

    for column in 0..width {
        let symbol = if column < full { "█" } else { "░" };
        put(buffer, row, start + column, symbol, look.chart());
    }
    start + width + 1
}
