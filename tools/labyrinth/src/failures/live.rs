// SPDX-License-Identifier: GPL-2.0

//! Failures as they happen, one line each.

use super::{context::Context, document::Event, probe::Cause, tally::Failure};
use crate::{
    json, stdout,
    terminal::{self, Style},
    units,
};
use std::time::{Duration, Instant};

/// The lines of a second, without --each.
const LINES: u32 = 10;
const SECOND: Duration = Duration::from_secs(1);

/// Which lines are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// None.
    Quiet,
    /// At most ten a second.
    Limited,
    /// All.
    Each,
    /// All, as JSON.
    Json,
}

/// Prints failures as they happen.
pub struct Live {
    mode: Mode,
    coloured: bool,
    since: Instant,
    printed: u32,
    left_out: u64,
    /// Whether the reader of standard output has left.
    pub is_alone: bool,
}

impl Live {
    /// Starts.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            coloured: terminal::colours(),
            since: Instant::now(),
            printed: 0,
            left_out: 0,
            is_alone: false,
        }
    }

    /// Prints a failure, if there is time.
    pub fn show(&mut self, failure: &Failure) -> anyhow::Result<()> {
        match self.mode {
            Mode::Quiet => return Ok(()),
            Mode::Json => {
                let there = stdout::reached(json::print(&Event::from(failure), true))?;
                self.keep(there);
                return Ok(());
            }
            Mode::Limited => {
                self.catch_up(false)?;
                if self.printed == LINES {
                    self.left_out += 1;
                    return Ok(());
                }
                self.printed += 1;
            }
            Mode::Each => {}
        }
        let there = stdout::print(&format!("{}\n", line(failure, self.coloured)))?;
        self.keep(there);
        Ok(())
    }

    /// Prints no more lines if the reader has left.
    fn keep(&mut self, there: bool) {
        if !there {
            self.is_alone = true;
            self.mode = Mode::Quiet;
            self.left_out = 0;
        }
    }

    /// Says how many failures were left out, if a second has passed or at the `end`.
    pub fn catch_up(&mut self, end: bool) -> anyhow::Result<()> {
        if !end && self.since.elapsed() < SECOND {
            return Ok(());
        }
        if self.left_out > 0 {
            let text = format!("… and {} more", units::counted(self.left_out, "failure"));
            let text = terminal::paint(self.coloured, Style::Faint, &text);
            let there = stdout::print(&format!("{text}\n"))?;
            self.keep(there);
        }
        self.since = Instant::now();
        self.printed = 0;
        self.left_out = 0;
        Ok(())
    }

    /// Returns how long to wait until there is something to say.
    pub fn due(&self) -> Option<Duration> {
        (self.left_out > 0).then(|| SECOND.saturating_sub(self.since.elapsed()))
    }
}

/// Returns the line of a failure, with the time as in the kernel's log.
fn line(failure: &Failure, coloured: bool) -> String {
    let time = format!(
        "[{:5}.{:06}]",
        failure.time / 1_000_000_000,
        failure.time / 1000 % 1_000_000
    );
    let caller = failure
        .caller
        .as_ref()
        .map_or("?".to_owned(), ToString::to_string);
    let order = failure
        .order
        .map_or("?".to_owned(), |order| order.to_string());
    let thread = failure
        .thread
        .map_or("?".to_owned(), |thread| thread.to_string());
    // In a hard irq they are always off.
    let irqs = match (failure.context, failure.irqs_off) {
        (Context::Task | Context::Softirq, Some(true)) => ", irqs off",
        _ => "",
    };
    let what = match failure.cause {
        Cause::Memory => "",
        Cause::Injected => "  (injected)",
        Cause::Other => "  (not a request for pages)",
    };

    format!(
        "{}  {}  {}{irqs}  order {order}  {}  {}:{thread}  CPU {}  node {}{what}",
        terminal::paint(coloured, Style::Faint, &time),
        terminal::paint(coloured, Style::Bold, &caller),
        failure.context,
        failure.flags.as_deref().unwrap_or("?"),
        failure.process,
        failure.cpu,
        failure.node,
    )
}

#[cfg(test)]
mod tests {
    use super::line;
    use crate::failures::{context::Context, tally::tests::failure};

    #[test]
    fn a_line_has_all_properties() {
        assert_eq!(
            line(&failure("send", Context::HardIrq), false),
            "[   12.000345]  send  hard irq  order 0  GFP_ATOMIC  swapper:0  CPU 1  node 0"
        );
    }
}
