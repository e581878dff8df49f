// SPDX-License-Identifier: GPL-2.0

//! The view as text or JSON, for logs and other programs. Each update covers the time since the
//! last one, so the first update comes after one interval.

use super::{
    draw::{Look, Screen},
    end::End,
    reading::Sources,
    state::State,
    view::View,
};
use crate::{
    json,
    signals::{Signals, ENDS},
};
use anyhow::Context as _;
use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};
use rustix::{
    event::{poll, PollFd, PollFlags, Timespec},
    io::Errno,
};
use std::{
    io::{self, Write},
    path::Path,
    time::{Duration, Instant},
};

/// The width of the text.
const WIDTH: u16 = 80;
/// The most rows. Empty rows at the end are left out.
const HEIGHT: u16 = 120;

/// The output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text.
    Plain {
        /// Whether to use characters beyond ASCII.
        unicode: bool,
    },
    /// JSON, with one document in each line.
    Json,
}

/// Prints the view until the end.
pub fn run(end: &End, interval: Duration, format: Format, root: &Path) -> anyhow::Result<()> {
    let ends = Signals::new(&ENDS).context("cannot catch signals")?;
    let mut sources = Sources::new(root);
    let mut state = State::default();
    let mut updates = 0;

    sources.count_failures();
    state.update(sources.read());
    let mut due = Instant::now() + interval;
    loop {
        let wake = end.time().map_or(due, |time| time.min(due));
        if is_ended(&ends, wake)? || (wake < due && end.has_come(updates)) {
            return Ok(());
        }
        state.update(sources.read());
        match format {
            Format::Json => json::print(state.view(), true)?,
            Format::Plain { unicode } => {
                let between = if updates > 0 { "\n" } else { "" };
                let text = text(state.view(), interval, unicode);
                let mut out = io::stdout().lock();
                out.write_all(format!("{between}{text}").as_bytes())?;
                out.flush()?;
            }
        }
        updates += 1;
        due = (due + interval).max(Instant::now());
        if end.has_come(updates) {
            return Ok(());
        }
    }
}

/// Waits until this time. Returns whether a signal asked for the end.
fn is_ended(ends: &Signals, until: Instant) -> anyhow::Result<bool> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();

        match poll(&mut [PollFd::new(ends, PollFlags::IN)], timeout.as_ref()) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error).context("cannot wait"),
        }
    }
}

/// Returns the screen as text.
fn text(view: &View, interval: Duration, unicode: bool) -> String {
    let area = Rect::new(0, 0, WIDTH, HEIGHT);
    let mut buffer = Buffer::empty(area);
    let screen = Screen {
        view,
        look: Look {
            coloured: false,
            unicode,
        },
        interval,
        selected: 0,
        paused: false,
        help: false,
        keys: false,
    };
    let mut text = String::new();

    screen.render(area, &mut buffer);
    for row in area.rows() {
        let line: String = row.positions().map(|at| buffer[at].symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::top::view::{Headroom, View};
    use std::time::Duration;

    #[test]
    fn the_text_has_no_empty_lines() {
        let view = View {
            seconds: 3.0,
            headroom: Some(Headroom {
                requests: 12,
                at_least: 10,
                at_most: 14,
                least: 9,
                chart: [12].into(),
            }),
            ..View::default()
        };
        let text = text(&view, Duration::from_secs(1), false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "labyrinth top  0:00:03  every 1 s");
        assert!(
            lines[1].starts_with("headroom  12 pages, least 9 (10 to 14)"),
            "{text}"
        );
        assert_eq!(lines.len(), 2);
        assert!(text.is_ascii());
    }
}
