// SPDX-License-Identifier: GPL-2.0

//! Signals that a command waits for, together with other files.

use rustix::net::{recv, RecvFlags};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    low_level::pipe,
};
use std::{
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
};

/// The signals that end a command.
pub const ENDS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// A file that becomes readable when one of the signals arrives.
pub struct Signals(UnixStream);

impl Signals {
    /// Catches these signals from now on.
    pub fn new(signals: &[i32]) -> io::Result<Self> {
        let (receiver, sender) = UnixStream::pair()?;

        for &signal in signals {
            pipe::register(signal, sender.try_clone()?)?;
        }
        Ok(Self(receiver))
    }

    /// Returns whether there was a signal since the last call.
    pub fn take(&self) -> bool {
        let mut buffer = [0; 64];
        let mut some = false;

        while recv(&self.0, &mut buffer[..], RecvFlags::DONTWAIT).is_ok_and(|(count, _)| count > 0)
        {
            some = true;
        }
        some
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::Signals;
    use signal_hook::{consts::SIGUSR2, low_level::raise};

    #[test]
    fn a_signal_is_taken_once() {
        let signals = Signals::new(&[SIGUSR2]).unwrap();
        assert!(!signals.take());
        raise(SIGUSR2).unwrap();
        raise(SIGUSR2).unwrap();
        assert!(signals.take());
        assert!(!signals.take());
    }
}
