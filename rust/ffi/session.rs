// SPDX-License-Identifier: GPL-2.0

//! A device whose open file has a session: a value of the module that lives as long as the file.
//!
//! A process opens the file, writes commands and reads a report. When it closes the file or dies,
//! the kernel releases the file, which drops the session. There is at most one session at a time.
//!
//! A leaked [`SessionDevice`] (`mem::forget`) keeps the module loaded, see
//! [`unload`](crate::ffi::unload). An open file also keeps it loaded.
//!
//! The kernel crate's `MiscDevice` is not used, because its files have no owner before Linux 7.3,
//! see [`user_map`](crate::ffi::mm::user_map).
//!
//! C header: [`include/linux/miscdevice.h`](srctree/include/linux/miscdevice.h)

use crate::ffi::{
    context::Task,
    debugfs::OWNER,
    unload::CallbackRegistration, //
};
use core::{
    fmt,
    marker::PhantomData,
    pin::Pin, //
};
use kernel::{
    bindings,
    container_of,
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        Arc, //
    },
    types::Opaque,
    uaccess::{
        UserPtr,
        UserSlice, //
    }, //
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
}

/// The device `/dev/NAME`, for root only (mode 0600, and `CAP_SYS_ADMIN`).
///
/// # Invariants
///
/// `misc` is registered, with the functions of this type, from the end of [`Self::new`] until the
/// value is dropped.
#[pin_data(PinnedDrop)]
pub struct SessionDevice<S: Session> {
    shared: Arc<Shared>,
    #[pin]
    misc: Opaque<bindings::miscdevice>,
    _registration: CallbackRegistration,
    _sessions: PhantomData<fn() -> S>,
}

/// The state that a device shares with its file.
struct Shared {
    /// Whether the device can be opened yet.
    admits: Atomic<i32>,
    /// Whether there is a session.
    busy: Atomic<i32>,
}

/// The private data of a file.
struct Opened<S> {
    session: S,
    _seat: Seat,
}

/// The right to be the only session. Dropping it gives the right back.
struct Seat(Arc<Shared>);

impl Seat {
    fn take(shared: &Arc<Shared>) -> Result<Self> {
        match shared.busy.cmpxchg(0, 1, Acquire) {
            Ok(_) => Ok(Self(shared.clone())),
            Err(_) => Err(EBUSY),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.busy.store(0, Release);
    }
}

// SAFETY: A device may be removed by any thread.
unsafe impl<S: Session> Send for SessionDevice<S> {}
// SAFETY: A shared reference only gives access to atomics.
unsafe impl<S: Session> Sync for SessionDevice<S> {}

impl<S: Session> SessionDevice<S> {
    // INVARIANT (of `SessionDevice`): The functions require a file of a `SessionDevice<S>`.
    const FILE: bindings::file_operations = bindings::file_operations {
        // An open file keeps the module loaded.
        owner: OWNER,
        open: Some(Self::open),
        release: Some(Self::release),
        read: Some(Self::read),
        write: Some(Self::write),
        llseek: Some(bindings::noop_llseek),
        ..pin_init::zeroed()
    };

    /// Makes the device, which cannot be opened before [`Self::admit`]. Task context only, may
    /// sleep.
    ///
    /// Fails with `ENOMEM` and with the errors of `misc_register()`.
    pub fn new(name: &'static CStr) -> Result<Pin<KBox<Self>>> {
        let shared = Arc::new(
            Shared {
                admits: Atomic::new(0),
                busy: Atomic::new(0),
            },
            GFP_KERNEL,
        )?;
        let misc = bindings::miscdevice {
            minor: bindings::MISC_DYNAMIC_MINOR as c_int,
            name: name.as_char_ptr(),
            fops: const { &Self::FILE },
            mode: 0o600,
            ..pin_init::zeroed()
        };
        KBox::try_pin_init(
            try_pin_init!(Self {
                _registration: CallbackRegistration::new(Self::open as *const c_void)?,
                _sessions: PhantomData,
                shared,
                // INVARIANT: Registered if this succeeds.
                misc <- Opaque::try_ffi_init(move |slot: *mut bindings::miscdevice| {
                    // SAFETY: The initialiser may write to `slot`.
                    unsafe { slot.write(misc) };
                    // SAFETY: `slot` is complete, pinned, and removed before it is freed. The other
                    // fields, which the functions use, are initialised already.
                    to_result(unsafe { bindings::misc_register(slot) })
                }),
            }? Error),
            GFP_KERNEL,
        )
    }

    /// Lets processes open the device. Call this when loading the module cannot fail any more: a
    /// file that was opened before a failure would outlive the module. Any context.
    pub fn admit(&self) {
        self.shared.admits.store(1, Release);
    }

    /// Called by the kernel in task context.
    ///
    /// # Safety
    ///
    /// `file` must be one of a `SessionDevice<S>` that `misc_open()` has just prepared.
    unsafe extern "C" fn open(_: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `misc_open()` has left the address of the `miscdevice` in there, which is a field
        // of a `SessionDevice<S>`. It holds `misc_mtx`, so `misc_deregister()`, the first step of
        // the end of that device, waits for us.
        let device = unsafe {
            let misc = Opaque::cast_from((*file).private_data.cast::<bindings::miscdevice>());
            &*container_of!(misc, Self, misc)
        };
        // SAFETY: This is a system call, which may sleep; the token ends with it.
        let cx = unsafe { Task::assume() };

        from_result(|| {
            // SAFETY: Reads the capabilities of the calling process.
            if !unsafe { bindings::capable(bindings::CAP_SYS_ADMIN as c_int) } {
                return Err(EPERM);
            }
            if device.shared.admits.load(Acquire) == 0 {
                return Err(EAGAIN);
            }
            let opened = Opened {
                _seat: Seat::take(&device.shared)?,
                session: S::open(&cx)?,
            };
            let opened = Arc::into_raw(Arc::new(opened, GFP_KERNEL)?);
            // SAFETY: The file is just being opened, so no other code uses it.
            unsafe { (*file).private_data = opened.cast_mut().cast() };
            Ok(0)
        })
    }

    /// Called by the kernel in task context, when no process has the file open any more.
    ///
    /// # Safety
    ///
    /// `file` must be one that [`Self::open`] has opened, and must be passed to this once.
    unsafe extern "C" fn release(_: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `open` has left its `Arc` there, and this is its end.
        drop(unsafe { Arc::from_raw((*file).private_data.cast::<Opened<S>>()) });
        0
    }

    /// Called by the kernel in task context. Takes the whole text as one command, and ignores the
    /// position.
    ///
    /// # Safety
    ///
    /// `file` must be one that [`Self::open`] has opened and [`Self::release`] has not seen.
    unsafe extern "C" fn write(
        file: *mut bindings::file,
        text: *const c_char,
        length: usize,
        _: *mut bindings::loff_t,
    ) -> isize {
        // SAFETY: The file has this `Arc`, which lives as long as the file.
        let opened = unsafe { &*(*file).private_data.cast::<Opened<S>>() };
        // SAFETY: This is a system call, which may sleep; the token ends with it.
        let mut cx = unsafe { Task::assume() };

        from_result(|| {
            if length == 0 || length > MAX_COMMAND {
                return Err(EINVAL);
            }
            let mut buffer = [0; MAX_COMMAND + 1];
            UserSlice::new(UserPtr::from_ptr(text.cast_mut().cast()), length)
                .reader()
                .read_slice(&mut buffer[..length])?;
            let text = CStr::from_bytes_with_nul(&buffer[..=length]).map_err(|_| EINVAL)?;

            opened.session.command(&mut cx, text)?;
            Ok(length as isize)
        })
    }

    /// Called by the kernel in task context. Each read from the beginning returns a new report.
    ///
    /// # Safety
    ///
    /// As for [`Self::write`]; `position` must be valid and ours.
    unsafe extern "C" fn read(
        file: *mut bindings::file,
        text: *mut c_char,
        length: usize,
        position: *mut bindings::loff_t,
    ) -> isize {
        // SAFETY: As in `write`.
        let opened = unsafe { &*(*file).private_data.cast::<Opened<S>>() };
        // SAFETY: As in `write`.
        let mut cx = unsafe { Task::assume() };

        from_result(|| {
            // SAFETY: By the requirement above.
            if unsafe { *position } != 0 {
                return Ok(0);
            }
            let mut buffer = [0; MAX_REPORT];
            let mut out = Text {
                buffer: &mut buffer,
                length: 0,
            };
            opened
                .session
                .report(&mut cx, &mut out)
                .map_err(|_| E2BIG)?;
            let report = out.length;
            if length < report {
                return Err(EINVAL);
            }
            UserSlice::new(UserPtr::from_ptr(text.cast()), length)
                .writer()
                .write_slice(&buffer[..report])?;
            // SAFETY: As above.
            unsafe { *position = report as bindings::loff_t };
            Ok(report as isize)
        })
    }
}

#[pinned_drop]
impl<S: Session> PinnedDrop for SessionDevice<S> {
    /// Removes the device. A file that is open keeps the module loaded.
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Registered by the invariant.
        unsafe { bindings::misc_deregister(self.misc.get()) };
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
