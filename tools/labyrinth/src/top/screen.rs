// SPDX-License-Identifier: GPL-2.0

//! Takes the terminal, and restores it in any case.

use rustix::termios::{
    tcgetattr, tcsetattr, InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios,
};
use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, OwnedFd},
    panic,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// Hides the cursor, and shows it. A VT100 ignores these unknown sequences.
const HIDE: &str = "\x1b[?25l";
const SHOW: &str = "\x1b[?25h";
/// Changes to the alternate screen, and back.
const SECOND: &str = "\x1b[?1049h";
const FIRST: &str = "\x1b[?1049l";
/// Ends all styles, and goes to the last line. Terminals limit the number to that of their last
/// line.
const LAST_LINE: &str = "\x1b[0m\x1b[999;1H\r\n";

/// The terminal while the view uses it. It is restored when this value is dropped, and before the
/// message of a panic.
pub struct Screen {
    terminal: Arc<Terminal>,
    hook: Arc<dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync>,
}

struct Terminal {
    /// The input and its old settings, if it is a terminal.
    input: Option<(OwnedFd, Termios)>,
    output: File,
    has_second: bool,
    is_ours: Mutex<bool>,
}

impl Screen {
    /// Takes a terminal. Keys come from `input`, if that is a terminal, too.
    pub fn take(input: OwnedFd, output: OwnedFd, has_second: bool) -> io::Result<Self> {
        let settings = tcgetattr(&input).ok();
        let terminal = Arc::new(Terminal {
            input: settings.map(|settings| (input, settings)),
            output: File::from(output),
            has_second,
            is_ours: Mutex::new(false),
        });
        let hook: Arc<dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync> =
            Arc::from(panic::take_hook());
        let (at_panic, before) = (Arc::clone(&terminal), Arc::clone(&hook));

        panic::set_hook(Box::new(move |panic| {
            at_panic.give_back();
            before(panic);
        }));
        let screen = Self { terminal, hook };
        screen.begin()?;
        Ok(screen)
    }

    /// Sets the terminal up, also again after this process was stopped.
    pub fn begin(&self) -> io::Result<()> {
        let Terminal {
            input,
            output,
            has_second,
            is_ours,
        } = &*self.terminal;
        let mut output = output;

        *is_ours.lock().unwrap_or_else(PoisonError::into_inner) = true;
        if let Some((input, settings)) = input {
            tcsetattr(input, OptionalActions::Now, &keys_one_by_one(settings))?;
        }
        let second = if *has_second { SECOND } else { "" };
        output.write_all(format!("{second}{HIDE}").as_bytes())
    }

    /// Returns the input, if it is a terminal.
    pub fn keys(&self) -> Option<impl AsFd + '_> {
        self.terminal.input.as_ref().map(|(input, _)| input)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.terminal.give_back();
        // A thread that panics cannot change the hook.
        if !thread::panicking() {
            let hook = Arc::clone(&self.hook);
            panic::set_hook(Box::new(move |panic| hook(panic)));
        }
    }
}

impl Terminal {
    /// Restores the terminal, once. Ignores errors, because the terminal may be gone.
    fn give_back(&self) {
        let mut is_ours = self.is_ours.lock().unwrap_or_else(PoisonError::into_inner);

        if !std::mem::take(&mut *is_ours) {
            return;
        }
        let first = if self.has_second { FIRST } else { LAST_LINE };
        let _ = (&self.output).write_all(format!("\x1b[0m{first}{SHOW}").as_bytes());
        if let Some((input, settings)) = &self.input {
            let _ = tcsetattr(input, OptionalActions::Now, settings);
        }
    }
}

/// Returns settings without line buffering, echo and signals from keys. Flow control stays, because
/// slow terminals need it.
fn keys_one_by_one(settings: &Termios) -> Termios {
    let mut settings = settings.clone();

    settings
        .local_modes
        .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN);
    settings.input_modes.remove(InputModes::ICRNL);
    settings.special_codes[SpecialCodeIndex::VMIN] = 1;
    settings.special_codes[SpecialCodeIndex::VTIME] = 0;
    settings
}

#[cfg(test)]
mod tests {
    use super::{Screen, FIRST, SECOND};
    use rustix::{
        fs::{fcntl_setfl, open, Mode, OFlags},
        pty::{grantpt, openpt, ptsname, unlockpt, OpenptFlags},
        termios::{tcgetattr, LocalModes, Termios},
    };
    use std::{
        io::Read,
        os::fd::OwnedFd,
        panic::{catch_unwind, AssertUnwindSafe},
        sync::{Mutex, MutexGuard, PoisonError},
    };

    /// A panic gives back the terminals of all threads, so these tests do not run at once.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pair of terminals: what is written to one can be read from the other.
    fn pair() -> (std::fs::File, OwnedFd) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        fcntl_setfl(&master, OFlags::NONBLOCK).unwrap();
        (master.into(), slave)
    }

    fn text(master: &mut std::fs::File) -> String {
        let mut buffer = [0; 4096];
        let length = master.read(&mut buffer).unwrap_or(0);
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    fn settings(terminal: &OwnedFd) -> String {
        let Termios {
            input_modes,
            output_modes,
            local_modes,
            special_codes,
            ..
        } = tcgetattr(terminal).unwrap();
        format!("{input_modes:?} {output_modes:?} {local_modes:?} {special_codes:?}")
    }

    fn take(slave: &OwnedFd, has_second: bool) -> Screen {
        let copy = || slave.try_clone().unwrap();
        Screen::take(copy(), copy(), has_second).unwrap()
    }

    #[test]
    fn the_terminal_is_given_back() {
        let _alone = alone();
        let (mut master, slave) = pair();
        let before = settings(&slave);
        let screen = take(&slave, true);
        assert!(text(&mut master).starts_with(SECOND));
        assert!(!tcgetattr(&slave)
            .unwrap()
            .local_modes
            .contains(LocalModes::ICANON));
        assert_ne!(settings(&slave), before);
        assert!(screen.keys().is_some());
        drop(screen);
        let end = text(&mut master);
        assert!(end.contains(FIRST) && end.contains("\x1b[?25h"), "{end:?}");
        assert_eq!(settings(&slave), before);
    }

    #[test]
    fn a_panic_gives_it_back_first() {
        let _alone = alone();
        let (mut master, slave) = pair();
        let before = settings(&slave);
        let result = catch_unwind(AssertUnwindSafe(|| {
            let _screen = take(&slave, false);
            let _ = text(&mut master);
            panic!("as if something went wrong");
        }));
        assert!(result.is_err());
        assert_eq!(settings(&slave), before);
        let end = text(&mut master);
        // The terminal is restored once, although both the hook and the drop restore it.
        assert_eq!(end.matches("\x1b[?25h").count(), 1, "{end:?}");
        assert!(!end.contains(FIRST), "{end:?}");
    }

    #[test]
    fn without_a_terminal_there_are_no_keys() {
        let _alone = alone();
        let (_master, slave) = pair();
        let file = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        let screen = Screen::take(file, slave, false).unwrap();
        assert!(screen.keys().is_none());
    }
}
