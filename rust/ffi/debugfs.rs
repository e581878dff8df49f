// SPDX-License-Identifier: GPL-2.0

//! debugfs files that keep their module loaded while they are open.
//!
//! The kernel crate's debugfs files have no owner: while one of them is held open, the module can
//! still be unloaded, and closing the file then reads freed memory. The files here name the module
//! as their owner, so `rmmod` fails with "in use" instead.
//!
//! A [`Root`] that is leaked (`mem::forget`) keeps the module loaded, see
//! [`unload`](crate::ffi::unload).
//!
//! A [`Root`] owns a folder with everything in it, and the data that the files show. Each file is a
//! type without values that implements [`Show`], [`Store`] or both.
//!
//! C header: [`include/linux/debugfs.h`](srctree/include/linux/debugfs.h)

use super::{
    context::Task,
    helpers,
    unload::CallbackRegistration, //
};
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::{
    bindings,
    error::{
        from_err_ptr,
        from_result, //
    },
    page::PAGE_SIZE,
    prelude::*,
    seq_file::SeqFile,
    sync::Arc,
    uaccess::{
        UserPtr,
        UserSlice, //
    }, //
};

/// A file that can be read.
pub trait Show<T>: 'static {
    /// The expected size in bytes, up to 16 MiB. Larger contents work too, but are produced again
    /// with a larger buffer. A size below that of a page counts as a page.
    const SIZE: usize = PAGE_SIZE;

    /// Writes the whole contents. Task context, may sleep.
    fn show(data: &T, out: &SeqFile) -> Result;
}

/// A file that can be written.
pub trait Store<T>: 'static {
    /// Handles the text of one write. Task context, may sleep. If it fails, it must have changed
    /// nothing.
    fn store(cx: &Task, data: &T, text: &CStr) -> Result;
}

/// The largest first buffer for the contents of a file, in bytes.
const MAX_BUFFER: usize = 16 << 20;

/// The longest text that can be written to a file, in bytes.
const MAX_TEXT: usize = 63;

/// A folder at the top of debugfs, and the data behind its files.
///
/// # Invariants
///
/// - `folder` is a live debugfs folder that belongs to this value.
/// - The private data of every file below it is the pointer of `data`.
pub struct Root<T: Send + Sync + 'static> {
    folder: *mut bindings::dentry,
    data: Arc<T>,
    registration: CallbackRegistration,
}

// SAFETY: debugfs may be called from any thread, and `Arc<T>` is `Send` for such `T`.
unsafe impl<T: Send + Sync + 'static> Send for Root<T> {}
// SAFETY: Likewise; `&Root` only gives access to debugfs calls that may run concurrently.
unsafe impl<T: Send + Sync + 'static> Sync for Root<T> {}

impl<T: Send + Sync + 'static> Root<T> {
    /// Makes the folder. Task context only, may sleep.
    ///
    /// Fails with the error of debugfs: `EPERM` if debugfs is switched off, `ENODEV` if the kernel
    /// was built without it, `EEXIST` if there is a folder of that name.
    pub fn new(name: &CStr, data: Arc<T>) -> Result<Self> {
        let registration = CallbackRegistration::new(Self::anchor as *const c_void)?;
        // SAFETY: `name` is NUL-terminated and copied; without a parent the folder is at the top.
        let folder = unsafe { helpers::labyrinth_debugfs_dir(name.as_char_ptr(), ptr::null_mut()) };

        // INVARIANT: The folder is new, ours and empty.
        Ok(Self {
            folder: from_err_ptr(folder)?,
            data,
            registration,
        })
    }

    /// Code of the module that makes the folder.
    fn anchor() {}

    /// Returns the top folder. Any context.
    pub fn top(&self) -> Dir<'_, T> {
        // INVARIANT: The folder lives as long as `self`.
        Dir {
            folder: self.folder,
            root: self,
        }
    }
}

impl<T: Send + Sync + 'static> Drop for Root<T> {
    /// Removes all files and waits for calls into them to return. Task context only, sleeps.
    fn drop(&mut self) {
        // SAFETY: The folder is ours by the invariant. Afterwards no file refers to `data`, so it
        // may be dropped.
        unsafe { helpers::labyrinth_debugfs_remove(self.folder) };
    }
}

/// The folder of a [`Root`], or a folder below it.
///
/// # Invariants
///
/// `folder` is a debugfs folder within `root`, or an error pointer, which debugfs accepts as a
/// parent and ignores.
pub struct Dir<'a, T: Send + Sync + 'static> {
    folder: *mut bindings::dentry,
    root: &'a Root<T>,
}

impl<'a, T: Send + Sync + 'static> Dir<'a, T> {
    /// Makes a folder in this one. As everywhere in debugfs, a failure only means that the folder
    /// and its files are missing. Task context only, may sleep.
    pub fn dir(&self, name: &CStr) -> Dir<'a, T> {
        // SAFETY: `name` is NUL-terminated and copied; `folder` is a valid parent by the invariant.
        let folder = unsafe { helpers::labyrinth_debugfs_dir(name.as_char_ptr(), self.folder) };
        // INVARIANT: Just made within the same root.
        Dir {
            folder,
            root: self.root,
        }
    }

    /// Makes a file that root can read. Task context only, may sleep.
    pub fn read_only<F: Show<T>>(&self, name: &CStr) {
        self.file(name, 0o400, const { &Operations::<F, T>::READ_ONLY });
    }

    /// Makes a file that root can write. Task context only, may sleep.
    pub fn write_only<F: Store<T>>(&self, name: &CStr) {
        self.file(name, 0o200, const { &Operations::<F, T>::WRITE_ONLY });
    }

    /// Makes a file that root can read and write. Task context only, may sleep.
    pub fn read_write<F: Show<T> + Store<T>>(&self, name: &CStr) {
        self.file(name, 0o600, const { &Operations::<F, T>::READ_WRITE });
    }

    fn file<F>(&self, name: &CStr, mode: bindings::umode_t, operations: &'static Operations<F, T>) {
        // If the operations were in another module, that module would not stay loaded while the
        // file is open.
        let registration = &self.root.registration;
        if !registration.is_for(ptr::from_ref(operations).cast()) {
            pr_err!("{name}: the module that made the folder has to make its files, too\n");
            return;
        }
        // SAFETY: `name` is NUL-terminated and copied; `folder` is a valid parent by the invariant;
        // `operations` lives for ever and expects a `T` as private data, which the root keeps alive
        // until it has removed the file.
        unsafe {
            helpers::labyrinth_debugfs_file(
                name.as_char_ptr(),
                mode,
                self.folder,
                Arc::as_ptr(&self.root.data).cast_mut().cast(),
                &operations.table,
            )
        };
    }
}

/// The C file operations of the file type `F` over a `T`.
///
/// # Invariants
/// `table` names this module as owner. It is valid for files whose inode's private data is a live
/// `T`.
struct Operations<F, T> {
    table: bindings::file_operations,
    _types: PhantomData<fn(F, T)>,
}

/// This module, as an owner of files. It is null if built into the kernel, which is never unloaded.
pub(super) const OWNER: *mut bindings::module = if cfg!(MODULE) {
    (&raw const bindings::__this_module).cast_mut()
} else {
    ptr::null_mut()
};

impl<F: Show<T>, T> Operations<F, T> {
    // INVARIANT: `open` needs a `T` as private data; the others are the standard ones of seq_file.
    const READ_ONLY: Self = Self {
        table: bindings::file_operations {
            owner: OWNER,
            open: Some(Self::open),
            read: Some(bindings::seq_read),
            llseek: Some(bindings::seq_lseek),
            release: Some(bindings::single_release),
            ..pin_init::zeroed()
        },
        _types: PhantomData,
    };

    /// The size of the first buffer. The kernel doubles it while it is too small, so it must not be
    /// 0, and it warns of one that is too large.
    const BUFFER: usize = {
        if F::SIZE < PAGE_SIZE {
            PAGE_SIZE
        } else if F::SIZE > MAX_BUFFER {
            MAX_BUFFER
        } else {
            F::SIZE
        }
    };

    /// # Safety
    ///
    /// `inode` and `file` must be valid, and the inode's private data must be a live `T` for as
    /// long as `show` can be called.
    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: By the requirements above; `show` takes what is handed over here.
        unsafe {
            bindings::single_open_size(file, Some(Self::show), (*inode).i_private, Self::BUFFER)
        }
    }

    /// # Safety
    ///
    /// `seq` must be a valid `seq_file` whose private data is a live `T`.
    unsafe extern "C" fn show(seq: *mut bindings::seq_file, _: *mut c_void) -> c_int {
        // SAFETY: By the requirement above. debugfs lets no call in once a file is being removed,
        // and the removal waits for the calls that are in.
        let data = unsafe { &*(*seq).private.cast::<T>() };
        // SAFETY: `seq` is valid, and locked by its caller for the duration of this call.
        let out = unsafe { SeqFile::from_raw(seq) };

        from_result(|| F::show(data, out).map(|()| 0))
    }
}

impl<F: Store<T>, T> Operations<F, T> {
    // INVARIANT: `write` needs a `T` as the inode's private data; the others ignore it.
    const WRITE_ONLY: Self = Self {
        table: bindings::file_operations {
            owner: OWNER,
            open: Some(bindings::simple_open),
            write: Some(Self::write),
            llseek: Some(bindings::default_llseek),
            ..pin_init::zeroed()
        },
        _types: PhantomData,
    };

    /// # Safety
    ///
    /// `file` must be valid, its inode's private data must be a live `T`, and `position` must be
    /// valid and ours.
    unsafe extern "C" fn write(
        file: *mut bindings::file,
        text: *const c_char,
        length: usize,
        position: *mut bindings::loff_t,
    ) -> isize {
        from_result(|| {
            // A text at an offset is the rest of a text that was partly taken. If it were accepted,
            // "10" could be understood as "1" and then "0".
            // SAFETY: `position` is valid by the requirement above.
            if unsafe { *position } != 0 || length == 0 || length > MAX_TEXT {
                return Err(EINVAL);
            }

            let mut buffer = [0; MAX_TEXT + 1];
            let source = UserPtr::from_ptr(text.cast_mut().cast());
            UserSlice::new(source, length)
                .reader()
                .read_slice(&mut buffer[..length])?;
            let text = CStr::from_bytes_with_nul(&buffer[..=length]).map_err(|_| EINVAL)?;

            // SAFETY: By the requirements above; debugfs keeps `T` alive during the call.
            let data = unsafe { &*(*(*file).f_inode).i_private.cast::<T>() };
            // SAFETY: A system call, which may sleep; the token ends with it.
            let cx = unsafe { Task::assume() };
            F::store(&cx, data, text)?;

            // SAFETY: As above. `length` is small.
            unsafe { *position += length as bindings::loff_t };
            Ok(length as isize)
        })
    }
}

impl<F: Show<T> + Store<T>, T> Operations<F, T> {
    // INVARIANT: As for `READ_ONLY` and `WRITE_ONLY`.
    const READ_WRITE: Self = Self {
        table: bindings::file_operations {
            write: Some(Self::write),
            ..Self::READ_ONLY.table
        },
        _types: PhantomData,
    };
}
