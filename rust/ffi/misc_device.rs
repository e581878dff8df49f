// SPDX-License-Identifier: GPL-2.0

//! Device files: the part that [`MapDevice`](crate::ffi::mm::user_map::MapDevice) and
//! [`SessionDevice`](crate::ffi::session::SessionDevice) share.
//!
//! Each open file has a value ([`FileDevice::File`]), which is dropped when no process has the file
//! open any more, and no mapping of it is left.
//!
//! An open file keeps the module loaded. A device that is leaked (`mem::forget`) does so, too, see
//! [`unload`](crate::ffi::unload).
//!
//! # Why not the kernel crate's `MiscDevice`
//!
//! Before Linux 7.3 its files have no owner, so a module can be unloaded while one of its files is
//! open or mapped. It also gives no access to later events of a mapping.
//!
//! C header: [`include/linux/miscdevice.h`](srctree/include/linux/miscdevice.h)

use crate::ffi::{
    context::Task,
    debugfs::OWNER,
    unload::CallbackRegistration, //
};
use core::pin::Pin;
use kernel::{
    bindings,
    container_of,
    error::{
        from_result,
        to_result, //
    },
    mm::virt::VmaNew,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    },
    types::Opaque,
    uaccess::{
        UserPtr,
        UserSlice, //
    }, //
};

/// A device, and the operations on its open files.
///
/// All functions are called in task context and may sleep. Threads of a process can call them at
/// the same time for one file.
#[allow(unnameable_types, reason = "drivers use the devices of other modules")]
pub trait FileDevice: Send + Sync + Sized + 'static {
    /// The value of an open file.
    type File: Send + Sync + 'static;

    /// A process opens the device.
    fn open(&self, cx: &Task) -> Result<Self::File>;

    /// No process has the file open any more, and no mapping of it is left. The value is dropped
    /// afterwards.
    fn close(_file: &Self::File, _cx: &mut Task) {}

    /// The process writes what `text` has. Returns how many bytes were taken.
    fn write(
        _file: &Self::File,
        _cx: &mut Task,
        _text: UserSlice,
        _length: usize,
    ) -> Result<usize> {
        Err(EINVAL)
    }

    /// The process reads from a position of the file. Returns how many bytes it was given.
    fn read(
        _file: &Self::File,
        _cx: &mut Task,
        _position: i64,
        _text: UserSlice,
        _length: usize,
    ) -> Result<usize> {
        Err(EINVAL)
    }

    /// The process maps the file. The `mmap_lock` of the process is held, so this must not access
    /// user space. `code` is an address in the module that the file keeps loaded.
    fn mmap(_file: &Self::File, _cx: &Task, _area: &VmaNew, _code: *const c_void) -> Result {
        Err(ENODEV)
    }
}

/// The device `/dev/NAME`, with mode 0600.
///
/// # Invariants
///
/// `misc` is registered, with the functions of this type, from the end of [`Self::register`] until
/// the value is dropped.
#[pin_data(PinnedDrop)]
#[allow(unnameable_types, reason = "drivers use its aliases")]
pub struct MiscDevice<D: FileDevice> {
    device: D,
    /// Whether the device can be opened yet.
    admits: Atomic<i32>,
    #[pin]
    misc: Opaque<bindings::miscdevice>,
    _registration: CallbackRegistration,
}

// SAFETY: A device may be removed by any thread; `D` is `Send`.
unsafe impl<D: FileDevice> Send for MiscDevice<D> {}
// SAFETY: A shared reference gives access to an atomic, and to `D`, which is `Sync`.
unsafe impl<D: FileDevice> Sync for MiscDevice<D> {}

impl<D: FileDevice> MiscDevice<D> {
    // INVARIANT (of `MiscDevice`): The functions require a file of a `MiscDevice<D>`.
    const FILE: bindings::file_operations = bindings::file_operations {
        // An open file keeps the module loaded, and each mapping has an open file.
        owner: OWNER,
        open: Some(Self::open),
        release: Some(Self::release),
        write: Some(Self::write),
        read: Some(Self::read),
        mmap: Some(Self::mmap),
        llseek: Some(bindings::noop_llseek),
        ..pin_init::zeroed()
    };

    /// Makes the device, which cannot be opened before [`Self::admit`]. Task context only, may
    /// sleep.
    ///
    /// Fails with `ENOMEM` and with the errors of `misc_register()`.
    pub(in crate::ffi) fn register(name: &'static CStr, device: D) -> Result<Pin<KBox<Self>>> {
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
                device,
                admits: Atomic::new(0),
                // INVARIANT: Registered if this succeeds.
                misc <- Opaque::try_ffi_init(move |slot: *mut bindings::miscdevice| {
                    // SAFETY: The initialiser may write to `slot`.
                    unsafe { slot.write(misc) };
                    // SAFETY: It is complete, pinned, and removed before it is freed. The other
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
        self.admits.store(1, Release);
    }

    /// Called by the kernel in task context.
    ///
    /// # Safety
    ///
    /// `file` must be one of a `MiscDevice<D>` that `misc_open()` has just prepared.
    unsafe extern "C" fn open(_: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `misc_open()` has left the address of the `miscdevice` in there, which is a field
        // of a `MiscDevice<D>`. It holds `misc_mtx`, so `misc_deregister()`, the first step of the
        // end of that device, waits for us.
        let this = unsafe {
            let misc = Opaque::cast_from((*file).private_data.cast::<bindings::miscdevice>());
            &*container_of!(misc, Self, misc)
        };
        // SAFETY: This is a system call, which may sleep; the token ends with it.
        let cx = unsafe { Task::assume() };

        from_result(|| {
            if this.admits.load(Acquire) == 0 {
                return Err(EAGAIN);
            }
            let opened = KBox::into_raw(KBox::new(this.device.open(&cx)?, GFP_KERNEL)?);
            // SAFETY: The file is being opened, and by us, so no other code uses it.
            unsafe { (*file).private_data = opened.cast() };
            Ok(0)
        })
    }

    /// Returns the value of a file.
    ///
    /// # Safety
    ///
    /// [`Self::open`] must have opened `file`, and [`Self::release`] must not see it before the
    /// reference ends.
    unsafe fn value<'a>(file: *mut bindings::file) -> &'a D::File {
        // SAFETY: `open` has left its box there, which ends in `release`. Until then there are only
        // shared references to the value.
        unsafe { &*(*file).private_data.cast::<D::File>() }
    }

    /// Called by the kernel in task context, when no process has the file open any more and no
    /// mapping of it is left.
    ///
    /// # Safety
    ///
    /// `file` must be one that [`Self::open`] has opened, and must be passed to this once.
    unsafe extern "C" fn release(_: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: `open` has left its box there, and this is its end.
        let opened = unsafe { KBox::from_raw((*file).private_data.cast::<D::File>()) };
        // SAFETY: The last reference to a file ends in task context, which may sleep; the token
        // ends with this call.
        let mut cx = unsafe { Task::assume() };

        D::close(&opened, &mut cx);
        0
    }

    /// Called by the kernel in task context. Ignores the position.
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
        // SAFETY: By the requirement above.
        let opened = unsafe { Self::value(file) };
        // SAFETY: This is a system call, which may sleep; the token ends with it.
        let mut cx = unsafe { Task::assume() };
        let text = UserSlice::new(UserPtr::from_ptr(text.cast_mut().cast()), length);

        from_result(|| Ok(D::write(opened, &mut cx, text, length)? as isize))
    }

    /// Called by the kernel in task context.
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
        // SAFETY: By the requirement above.
        let opened = unsafe { Self::value(file) };
        // SAFETY: As in `write`.
        let mut cx = unsafe { Task::assume() };
        // SAFETY: By the requirement above.
        let position = unsafe { &mut *position };
        let text = UserSlice::new(UserPtr::from_ptr(text.cast()), length);

        from_result(|| {
            let count = D::read(opened, &mut cx, *position, text, length)?;
            *position = position.saturating_add(count as bindings::loff_t);
            Ok(count as isize)
        })
    }

    /// Called by the kernel in task context.
    ///
    /// # Safety
    ///
    /// `file` must be one that [`Self::open`] has opened and [`Self::release`] has not seen, and
    /// `vma` must be a mapping of it that is being made.
    unsafe extern "C" fn mmap(
        file: *mut bindings::file,
        vma: *mut bindings::vm_area_struct,
    ) -> c_int {
        // SAFETY: By the requirement above.
        let opened = unsafe { Self::value(file) };
        // SAFETY: By the requirement above.
        let area = unsafe { VmaNew::from_raw(vma) };
        // SAFETY: This is a system call, which may sleep; the token ends with it.
        let cx = unsafe { Task::assume() };

        from_result(|| {
            D::mmap(opened, &cx, area, Self::open as *const c_void)?;
            Ok(0)
        })
    }
}

#[pinned_drop]
impl<D: FileDevice> PinnedDrop for MiscDevice<D> {
    /// Removes the device. A file that is open keeps the module loaded, and keeps its value.
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Registered by the invariant.
        unsafe { bindings::misc_deregister(self.misc.get()) };
    }
}

/// Returns whether the calling process has `CAP_SYS_ADMIN`. The kernel notes that the process has
/// used this right. Task context only.
pub(in crate::ffi) fn is_administrator(_cx: &Task) -> bool {
    // SAFETY: Reads the capabilities of the calling process.
    unsafe { bindings::capable(bindings::CAP_SYS_ADMIN as c_int) }
}
