// SPDX-License-Identifier: GPL-2.0

//! Progress of what takes longer than two seconds.

use crate::units;
use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// How long a command is silent about its progress.
const SILENT: Duration = Duration::from_secs(2);

/// Shows which step is running, how far it is and how long it has taken, on standard error: in one
/// line that changes on a terminal, and in a line every ten seconds elsewhere.
pub struct Progress {
    step: String,
    start: Instant,
    told: Option<Instant>,
    terminal: bool,
    silent: bool,
}

impl Progress {
    /// Starts a step, such as "reading kern.log".
    pub fn new(step: impl Into<String>) -> Self {
        Self {
            step: step.into(),
            start: Instant::now(),
            told: None,
            terminal: io::stderr().is_terminal(),
            silent: false,
        }
    }

    /// Starts a step that is never shown, because the terminal is in use.
    pub fn silent() -> Self {
        let mut progress = Self::new("");

        progress.silent = true;
        progress
    }

    /// Says how far the step is, such as "120 of 400 MB". Cheap if it is too early to say it again.
    pub fn at(&mut self, how_far: impl FnOnce() -> String) {
        let pause = if self.terminal { 1 } else { 10 };
        let due = match self.told {
            None => self.start.elapsed() >= SILENT,
            Some(told) => told.elapsed() >= Duration::from_secs(pause),
        };
        if self.silent || !due {
            return;
        }
        self.told = Some(Instant::now());
        let passed = units::nanoseconds(self.start.elapsed().as_secs() * 1_000_000_000);
        let (before, after) = if self.terminal {
            ("\r\x1b[K", "")
        } else {
            ("", "\n")
        };
        let mut out = io::stderr();
        let text = format!(
            "{before}labyrinth: {}: {}, {passed}{after}",
            self.step,
            how_far()
        );
        // Progress is of no use to anybody if standard error is gone.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal && self.told.is_some() {
            // As above.
            let _ = io::stderr().write_all(b"\r\x1b[K");
        }
    }
}
