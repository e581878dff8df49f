// SPDX-License-Identifier: GPL-2.0

//! A device whose open file has a session: a value of the module that lives as long as the file.
//!
//! A process opens the file, writes commands and reads a report. When it closes the file or dies,
//! the kernel releases the file, which drops the session. There is at most one session at a time.
//!
//! A leaked [`SessionDevice`] (`mem::forget`) keeps the module loaded, see
//! [`unload`](crate::ffi::unload). An open file also keeps it loaded.

use crate::ffi::{
    context::Task,
    misc_device::{
        is_administrator,
        FileDevice,
        MiscDevice, //
    }, //
};
use core::{
    fmt,
    marker::PhantomData,
    pin::Pin, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        Arc, //
    },
    uaccess::UserSlice, //
};

/// The longest command, in bytes.
const MAX_COMMAND: usize = 127;
/// The longest report, in bytes.
const MAX_REPORT: usize = 1024;

/// A value that lives as long as an open file.
pub trait Session: Send + Sync + Sized + 'static {
    /// A process opens the file. Task context, may sleep.
    fn open(cx: &Task) -> Result<Self>;

    /// The process writes a command. Task context, may sleep. Threads of the process can call this
    /// at the same time.
    fn command(&self, cx: &mut Task, text: &CStr) -> Result;

    /// The process reads the file from its beginning. A report is at most 1024 bytes long. Task
    /// context, may sleep.
    fn report(&self, cx: &mut Task, out: &mut (dyn fmt::Write + Send)) -> fmt::Result;

    /// The file is closed, and the session is dropped afterwards. Task context, may sleep.
    fn close(&self, cx: &mut Task);
}

/// The device `/dev/NAME`, for root only (mode 0600, and `CAP_SYS_ADMIN`).
pub type SessionDevice<S> = MiscDevice<Sessions<S>>;

/// A device of which at most one file is open.
#[allow(unnameable_types, reason = "drivers use the alias of its device")]
pub struct Sessions<S> {
    /// Whether a file is open. A file can outlive the device.
    is_open: Arc<Atomic<i32>>,
    _sessions: PhantomData<fn() -> S>,
}

/// The value of the open file.
#[allow(unnameable_types, reason = "drivers use the alias of its device")]
pub struct OpenSession<S> {
    session: S,
    _only: OnlySession,
}

/// The right to be the only session. Dropping it gives the right back.
struct OnlySession(Arc<Atomic<i32>>);

impl OnlySession {
    fn take(is_open: &Arc<Atomic<i32>>) -> Result<Self> {
        match is_open.cmpxchg(0, 1, Acquire) {
            Ok(_) => Ok(Self(is_open.clone())),
            Err(_) => Err(EBUSY),
        }
    }
}

impl Drop for OnlySession {
    fn drop(&mut self) {
        self.0.store(0, Release);
    }
}

impl<S: Session> SessionDevice<S> {
    /// Makes the device, which cannot be opened before [`Self::admit`]. Task context only, may
    /// sleep.
    ///
    /// Fails with `ENOMEM` and with the errors of `misc_register()`.
    pub fn new(name: &'static CStr) -> Result<Pin<KBox<Self>>> {
        let sessions = Sessions {
            is_open: Arc::new(Atomic::new(0), GFP_KERNEL)?,
            _sessions: PhantomData,
        };
        Self::register(name, sessions)
    }
}

impl<S: Session> FileDevice for Sessions<S> {
    type File = OpenSession<S>;

    fn open(&self, cx: &Task) -> Result<OpenSession<S>> {
        if !is_administrator(cx) {
            return Err(EPERM);
        }
        Ok(OpenSession {
            _only: OnlySession::take(&self.is_open)?,
            session: S::open(cx)?,
        })
    }

    fn close(file: &OpenSession<S>, cx: &mut Task) {
        file.session.close(cx);
    }

    /// Takes the whole text as one command.
    fn write(
        file: &OpenSession<S>,
        cx: &mut Task,
        text: UserSlice,
        length: usize,
    ) -> Result<usize> {
        if length == 0 || length > MAX_COMMAND {
            return Err(EINVAL);
        }
        let mut buffer = [0; MAX_COMMAND + 1];
        text.reader().read_slice(&mut buffer[..length])?;
        let command = CStr::from_bytes_with_nul(&buffer[..=length]).map_err(|_| EINVAL)?;

        file.session.command(cx, command)?;
        Ok(length)
    }

    /// Each read from the beginning returns a new report.
    fn read(
        file: &OpenSession<S>,
        cx: &mut Task,
        position: i64,
        text: UserSlice,
        length: usize,
    ) -> Result<usize> {
        if position != 0 {
            return Ok(0);
        }
        let mut buffer = [0; MAX_REPORT];
        let mut out = Text {
            buffer: &mut buffer,
            length: 0,
        };
        file.session.report(cx, &mut out).map_err(|_| E2BIG)?;
        let report = out.length;
        if length < report {
            return Err(EINVAL);
        }
        text.writer().write_slice(&buffer[..report])?;
        Ok(report)
    }
}

/// Text in a buffer of fixed size.
struct Text<'a> {
    buffer: &'a mut [u8],
    length: usize,
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let place = self.buffer.get_mut(self.length..end).ok_or(fmt::Error)?;

        place.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
