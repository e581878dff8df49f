// SPDX-License-Identifier: GPL-2.0

//! The view on a terminal.

use super::{
    draw::{Look, Screen as Picture},
    end::End,
    keys::{Action, Keys},
    reading::Sources,
    screen::Screen,
    state::State,
    view::View,
    vt::Vt,
};
use crate::{
    signals::{Signals, ENDS},
    terminal,
};
use anyhow::Context as _;
use ratatui::Terminal;
use rustix::{
    event::{poll, PollFd, PollFlags, Timespec},
    io::{read, Errno},
};
use signal_hook::consts::{SIGCONT, SIGWINCH};
use std::{
    fs::File,
    io,
    os::fd::AsFd,
    path::Path,
    time::{Duration, Instant},
};

/// Shows the view until the end.
pub fn run(end: &End, interval: Duration, look: Look, root: &Path) -> anyhow::Result<()> {
    let ends = Signals::new(&ENDS).context("cannot catch signals")?;
    let resized = Signals::new(&[SIGWINCH, SIGCONT]).context("cannot catch signals")?;
    let mut sources = Sources::new(root);
    let mut state = State::default();
    let copy = |fd: std::os::fd::BorrowedFd<'_>| fd.try_clone_to_owned();
    let (input, output) = (copy(io::stdin().as_fd())?, copy(io::stdout().as_fd())?);

    state.update(sources.read());
    let output_too = File::from(output.try_clone()?);
    let screen = Screen::take(input, output, terminal::has_second_screen())
        .context("cannot set the terminal up")?;
    let mut live = Live {
        terminal: Terminal::new(Vt::new(output_too))?,
        look,
        interval,
        frozen: None,
        selected: 0,
        help: false,
        keys: Keys::default(),
    };
    let result = live.draw(&state, &screen, true).and_then(|()| {
        // This can take a while, so show something meanwhile.
        sources.count_failures();
        live.watch(end, &ends, &resized, &mut sources, &mut state, &screen)
    });

    match result {
        // The terminal is gone, for example because its connection was closed.
        Err(error) if Errno::from_io_error(&error) == Some(Errno::IO) => Ok(()),
        result => Ok(result?),
    }
}

/// The view on a terminal.
struct Live {
    terminal: Terminal<Vt<File>>,
    look: Look,
    interval: Duration,
    /// The values to show while the screen is frozen.
    frozen: Option<View>,
    selected: usize,
    help: bool,
    keys: Keys,
}

/// The reason for the end of a wait.
enum Event {
    /// It is time for an update.
    Due,
    /// Keys were pressed.
    Keys,
    /// The size of the terminal has changed, or this process continues after it was stopped.
    Resized,
    /// The end has come.
    End,
}

impl Live {
    fn watch(
        &mut self,
        end: &End,
        ends: &Signals,
        resized: &Signals,
        sources: &mut Sources,
        state: &mut State,
        screen: &Screen,
    ) -> io::Result<()> {
        let mut due = Instant::now() + self.interval;
        let mut updates = 0;

        loop {
            let wake = end.time().map_or(due, |time| time.min(due));
            match wait(ends, resized, screen, wake)? {
                Event::End => return Ok(()),
                Event::Keys => {
                    if !self.press(state, screen)? {
                        return Ok(());
                    }
                }
                Event::Resized => {
                    resized.take();
                    screen.begin()?;
                    self.draw(state, screen, true)?;
                }
                Event::Due => {
                    if end.has_come(updates) {
                        return Ok(());
                    }
                    state.update(sources.read());
                    self.draw(state, screen, false)?;
                    updates += 1;
                    // Skip updates if the machine or the line is too slow.
                    due = (due + self.interval).max(Instant::now());
                    if end.has_come(updates) {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Reads keys, and carries out their actions. Returns whether to go on.
    fn press(&mut self, state: &mut State, screen: &Screen) -> io::Result<bool> {
        let mut bytes = [0; 64];
        let Some(input) = screen.keys() else {
            return Ok(true);
        };
        let count = match read(&input, &mut bytes) {
            Ok(0) => return Ok(false),
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => 0,
            Err(error) => return Err(error.into()),
        };
        let mut redraw = false;

        for action in bytes[..count]
            .iter()
            .filter_map(|&byte| self.keys.take(byte))
        {
            let last = state.view().contexts.len().saturating_sub(1);
            match action {
                Action::Quit => return Ok(false),
                Action::Pause => {
                    self.frozen = match self.frozen {
                        Some(_) => None,
                        None => Some(state.view().clone()),
                    };
                }
                Action::Forget => state.forget(),
                Action::Help => self.help = !self.help,
                Action::Redraw => redraw = true,
                Action::Select(index) => self.selected = index.min(last),
                Action::Next => self.selected = (self.selected + 1).min(last),
                Action::Previous => self.selected = self.selected.min(last).saturating_sub(1),
            }
        }
        self.draw(state, screen, redraw)?;
        Ok(true)
    }

    /// Draws the changed cells, or all.
    fn draw(&mut self, state: &State, screen: &Screen, everything: bool) -> io::Result<()> {
        let picture = Picture {
            view: self.frozen.as_ref().unwrap_or(state.view()),
            look: self.look,
            interval: self.interval,
            selected: self.selected,
            paused: self.frozen.is_some(),
            help: self.help,
            keys: screen.keys().is_some(),
        };

        if everything {
            self.terminal.clear()?;
        }
        self.terminal
            .draw(|frame| frame.render_widget(picture, frame.area()))?;
        Ok(())
    }
}

/// Waits for the next event, at most until this time.
fn wait(ends: &Signals, resized: &Signals, screen: &Screen, until: Instant) -> io::Result<Event> {
    let keys = screen.keys();
    let mut fds = vec![
        PollFd::new(ends, PollFlags::IN),
        PollFd::new(resized, PollFlags::IN),
    ];

    fds.extend(keys.as_ref().map(|keys| PollFd::new(keys, PollFlags::IN)));
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();

        match poll(&mut fds, timeout.as_ref()) {
            Ok(0) => return Ok(Event::Due),
            Ok(_) => break,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let is_ready = |index: usize| {
        fds.get(index)
            .is_some_and(|fd: &PollFd<'_>| !fd.revents().is_empty())
    };
    Ok(match () {
        () if is_ready(0) => Event::End,
        () if is_ready(2) => Event::Keys,
        () => Event::Resized,
    })
}
