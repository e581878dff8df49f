// SPDX-License-Identifier: GPL-2.0

//! A device whose file gives pages to processes by `mmap()`.
//!
//! The process has the file. Behind each mapping is a value of ours ([`NewArea::give`]). It is
//! dropped when no process can access the page any more: the kernel calls `close` of a mapping
//! after it has cleared the page table and flushed the TLBs. It does so for `munmap()`, for another
//! mapping in the same place, for `execve()`, and when the process dies.
//!
//! A [`MapDevice`] that is leaked (`mem::forget`) keeps the module loaded, see
//! [`unload`](crate::ffi::unload).
//!
//! # Why frame numbers
//!
//! The page is put into the page table as a mere page frame number (`VM_PFNMAP`), not by
//! `vm_insert_page()`. So the core kernel does not know that there is a page, and
//!
//! - never pins it: all forms of `get_user_pages()` fail with `EFAULT`. A pinned page would stay
//!   accessible after `munmap()`, to direct I/O, `vmsplice()`, io_uring buffers or a device;
//! - gives no other process access: `PTRACE_PEEKDATA`, `process_vm_readv()` and `/proc/PID/mem`
//!   call `get_user_pages()`, too, and then an `access` function of the mapping, which this mapping
//!   does not have. A tracer can still make the process execute a system call that copies the page;
//! - does not move, merge, swap or reclaim it, and writes it to no core dump. `madvise()` and
//!   `userfaultfd` refuse the mapping, as none of their operations supports such memory.
//!
//! Code that maps physical frames by the page tables of others (KVM, vfio) drops them on a call of
//! an MMU notifier, or accepts only frames that are not ordinary memory.
//!
//! `mmap()` makes the entry and only the end of the mapping clears it, so there is no page fault to
//! serve. If one occurs nevertheless, it ends in `SIGBUS`.
//!
//! C header: [`include/linux/mm.h`](srctree/include/linux/mm.h)

use crate::ffi::{
    context::{
        MaySleep,
        Task, //
    },
    misc_device::{
        FileDevice,
        MiscDevice, //
    },
    unload::CallbackRegistration, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    pin::Pin, //
};
use kernel::{
    bindings,
    error::to_result,
    mm::virt::{
        flags,
        VmaNew, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        Arc,
        UniqueArc, //
    }, //
};

/// A source of pages for processes.
pub trait Mappable: Send + Sync + 'static {
    /// A process maps the file, and `area` must be given a page. On an error the process gets no
    /// mapping.
    ///
    /// Task context, may sleep. The process's `mmap_lock` is held, so this must not copy from or to
    /// user space.
    fn mmap<'a>(&self, cx: &Task, area: NewArea<'a>) -> Result<MappedArea<'a>>;
}

/// The device `/dev/NAME`, for root only (mode 0600).
pub type MapDevice<M> = MiscDevice<Maps<M>>;

/// A device whose files can be mapped.
#[allow(unnameable_types, reason = "drivers use the alias of its device")]
pub struct Maps<M>(Arc<M>);

impl<M: Mappable> MapDevice<M> {
    /// Makes the device, which cannot be opened before [`Self::admit`]. Task context only, may
    /// sleep.
    ///
    /// Fails with `ENOMEM` and with the errors of `misc_register()`.
    pub fn new(name: &'static CStr, pages: M) -> Result<Pin<KBox<Self>>> {
        Self::register(name, Maps(Arc::new(pages, GFP_KERNEL)?))
    }
}

impl<M: Mappable> FileDevice for Maps<M> {
    /// The file has a reference of its own to the source of the pages, as it can outlive the
    /// device.
    type File = Arc<M>;

    fn open(&self, _cx: &Task) -> Result<Arc<M>> {
        Ok(self.0.clone())
    }

    fn mmap(pages: &Arc<M>, cx: &Task, area: &VmaNew, code: *const c_void) -> Result {
        pages.mmap(cx, NewArea::new(area, code)?)?;
        Ok(())
    }
}

/// A mapping of one page that is being made and does not have its page yet.
///
/// # Invariants
///
/// `vma` is being made by `mmap()` of a [`MapDevice`]; it is one page long, shared, not executable,
/// and has no page.
pub struct NewArea<'a> {
    vma: &'a VmaNew,
    /// An address of code in the module that the file keeps loaded.
    code: *const c_void,
}

/// The proof that an area was given a page.
pub struct MappedArea<'a>(PhantomData<&'a ()>);

impl<'a> NewArea<'a> {
    /// Fails with `EINVAL` for a length other than one page, an offset, or a private mapping; with
    /// `EACCES` for a file that was not opened for writing; with `EPERM` for an executable mapping.
    fn new(vma: &'a VmaNew, code: *const c_void) -> Result<Self> {
        // SAFETY: The mapping is being made, and by us, so no other code writes to this field.
        let offset = unsafe { (*vma.as_ptr()).vm_pgoff };

        if vma.end() - vma.start() != PAGE_SIZE || offset != 0 {
            return Err(EINVAL);
        }
        if vma.flags() & flags::SHARED == 0 {
            // A shared mapping of a file that was not opened for writing looks like a private one,
            // except for this flag.
            let shared = vma.flags() & flags::MAYSHARE != 0;
            return Err(if shared { EACCES } else { EINVAL });
        }
        // Not executable now, and `mprotect()` cannot change that later.
        vma.try_clear_mayexec().map_err(|_| EPERM)?;

        // INVARIANT: Just checked; no page was put into it.
        Ok(Self { vma, code })
    }

    /// Gives the process a page frame, and access to it.
    ///
    /// `kept` is dropped when no process has access any more. That happens in task context, which
    /// may sleep, with the `mmap_lock` of the process held. If this fails, with `ENOMEM`, the
    /// process was given nothing.
    ///
    /// If [`Mappable::mmap`] returns an error afterwards, the page is leaked.
    ///
    /// # Safety
    ///
    /// `frame` must be that of an allocated page of order 0 that belongs to `kept`. Until `kept` is
    /// dropped or returned, no code may access its contents.
    pub(crate) unsafe fn give<C: MaySleep, K: Send + Sync + 'static>(
        self,
        _cx: &C,
        frame: usize,
        kept: K,
    ) -> Result<MappedArea<'a>, (Error, K)> {
        // If the operations were in another module, that module would not stay loaded while the
        // mapping exists.
        let table = const { &Operations::<K>::TABLE };
        if !CallbackRegistration::same_module(self.code, core::ptr::from_ref(table).cast()) {
            pr_err!("a page has to be mapped by the module that made the device\n");
            return Err((EINVAL, kept));
        }
        let Ok(place) = UniqueArc::new_uninit(GFP_KERNEL) else {
            return Err((ENOMEM, kept));
        };
        let vma = self.vma.as_ptr();

        // A child does not inherit the mapping. `madvise()` cannot change this or the other flags,
        // as it can change them only for memory that is not special.
        self.vma.set_dontcopy();
        self.vma.set_dontexpand();
        self.vma.set_dontdump();
        self.vma.set_io();

        // SAFETY: The mapping is being made, under the `mmap_lock`. By the invariant it is shared,
        // has one page, and nothing is mapped there. The caller vouches for the frame.
        let result = to_result(unsafe {
            bindings::remap_pfn_range(vma, self.vma.start(), frame, PAGE_SIZE, (*vma).vm_page_prot)
        });
        if let Err(error) = result {
            return Err((error, kept));
        }
        let kept: Arc<K> = place.write(kept).into();

        // SAFETY: The mapping is being made, so these fields are ours to write. The functions
        // expect an `Arc<K>` in the private data: `close` drops the one that is stored here.
        unsafe {
            (*vma).vm_private_data = Arc::into_raw(kept).cast_mut().cast();
            (*vma).vm_ops = table;
        }
        Ok(MappedArea(PhantomData))
    }
}

/// The functions that the kernel calls for a mapping that was given a page.
struct Operations<K>(PhantomData<K>);

impl<K: Send + Sync + 'static> Operations<K> {
    const TABLE: bindings::vm_operations_struct = bindings::vm_operations_struct {
        open: Some(Self::open),
        close: Some(Self::close),
        mremap: Some(Self::mremap),
        ..pin_init::zeroed()
    };

    /// Called when a copy of a mapping is made. A fork makes none (`VM_DONTCOPY`) and one page
    /// cannot be split, so the copy is for a move, which [`Self::mremap`] will refuse. Until then
    /// both mappings share the value.
    ///
    /// # Safety
    ///
    /// `vma` must be a copy of a mapping with these functions.
    unsafe extern "C" fn open(vma: *mut bindings::vm_area_struct) {
        // SAFETY: The private data was copied from a mapping that has an `Arc<K>` and keeps it.
        let kept = ManuallyDrop::new(unsafe { Arc::from_raw((*vma).vm_private_data.cast::<K>()) });
        // This reference belongs to the copy.
        core::mem::forget(Arc::clone(&kept));
    }

    /// Called when a mapping was removed from the page tables and all TLBs.
    ///
    /// # Safety
    ///
    /// `vma` must have these functions, and must be passed to this function once.
    unsafe extern "C" fn close(vma: *mut bindings::vm_area_struct) {
        // SAFETY: Each mapping has an `Arc<K>`, from `give` or from `open`, and this is its end.
        drop(unsafe { Arc::from_raw((*vma).vm_private_data.cast::<K>()) });
    }

    /// Called when a mapping was copied to be moved. The kernel undoes the move because of the
    /// error.
    extern "C" fn mremap(_: *mut bindings::vm_area_struct) -> c_int {
        EINVAL.to_errno()
    }
}
