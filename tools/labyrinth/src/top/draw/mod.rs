// SPDX-License-Identifier: GPL-2.0

//! Draws a screen, from nothing but the values that it shows.

mod ascii;
mod contexts;
mod detail;
mod help;
mod machine;
mod plan;
mod pools;
mod text;

use super::view::View;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
    widgets::Widget,
};
use std::time::Duration;
use text::{put, put_right};

/// A screen.
#[derive(Clone, Copy, Debug)]
pub struct Screen<'a> {
    /// The values to show.
    pub view: &'a View,
    /// The colours and characters.
    pub look: Look,
    /// The time between two updates.
    pub interval: Duration,
    /// The index of the context whose details are shown.
    pub selected: usize,
    /// Whether the screen is frozen.
    pub paused: bool,
    /// Whether the screen shows the keys instead of the values.
    pub help: bool,
    /// Whether keys can be pressed.
    pub keys: bool,
}

/// The colours and characters of a screen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Whether to use colours.
    pub coloured: bool,
    /// Whether to use characters beyond ASCII.
    pub unicode: bool,
}

impl Look {
    /// The line above a table.
    fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    fn bad(self) -> Style {
        self.coloured_as(self.bold(), Color::Red)
    }

    fn warning(self) -> Style {
        self.coloured_as(self.bold(), Color::Yellow)
    }

    fn chart(self) -> Style {
        self.coloured_as(Style::new(), Color::Cyan)
    }

    fn coloured_as(self, style: Style, colour: Color) -> Style {
        if self.coloured {
            style.fg(colour)
        } else {
            style
        }
    }
}

impl Widget for Screen<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        if self.help {
            help::draw(self.look, area, buffer);
        } else {
            self.draw(area, buffer);
        }
        if !self.look.unicode {
            ascii::translate(area, buffer);
        }
    }
}

impl Screen<'_> {
    fn draw(self, area: Rect, buffer: &mut Buffer) {
        let view = self.view;
        let rows = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let table = |count: usize| if count == 0 { 0 } else { rows(count + 1) };
        let failures = view
            .failures
            .as_ref()
            .map_or(0, |failures| failures.rows.len());
        let notes = rows(machine::note_lines(self, area.width).count());
        // The parts get their rows in this order.
        let parts = plan::share(
            area.height,
            [
                (1, 1),
                (notes, notes),
                (u16::from(view.headroom.is_some()), 1),
                (u16::from(view.failures.is_some()), 1),
                (
                    table(view.contexts.len().min(2)),
                    table(view.contexts.len()),
                ),
                (table(view.pools.len().min(1)), table(view.pools.len())),
                (
                    0,
                    if view.contexts.is_empty() {
                        0
                    } else {
                        detail::ROWS
                    },
                ),
                (0, rows(failures.min(8))),
            ],
        );
        let [title, notes, headroom, failures, contexts, pools, detail, callers] = parts;
        let mut left = area;
        let mut next = |height: u16| {
            let part = Rect { height, ..left };
            left.y += height;
            left.height -= height;
            part
        };

        self.title(next(title), buffer);
        machine::notes(self, next(notes), buffer);
        machine::headroom(self, next(headroom), buffer);
        machine::failures(self, next(failures), buffer);
        machine::callers(self, next(callers), buffer);
        contexts::draw(self, next(contexts), buffer);
        pools::draw(self, next(pools), buffer);
        if detail >= detail::LEAST_ROWS {
            detail::draw(self, next(detail), buffer);
        }
    }

    fn title(self, area: Rect, buffer: &mut Buffer) {
        let time = self.view.seconds as u64;
        let clock = format!("{}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60);
        let mut end = put(buffer, area, 0, "labyrinth top", self.look.bold());

        end = put(buffer, area, end + 2, &clock, Style::new());
        let help = if self.keys { "? help" } else { "" };
        // On a narrow screen the help is more important than the interval.
        let room = area.width.saturating_sub(end);
        let interval = format!("every {} s", self.interval.as_secs_f64());
        let (text, style) = if self.paused {
            ("paused", self.look.warning())
        } else {
            (interval.as_str(), Style::new())
        };
        let (text_width, help_width) = (text.len() as u16 + 2, help.len() as u16 + 2);

        if self.paused || text_width + help_width <= room {
            put(buffer, area, end + 2, text, style);
        }
        if help_width <= room {
            put_right(buffer, area, help, Style::new());
        }
    }
}

#[cfg(test)]
mod tests;
