// SPDX-License-Identifier: GPL-2.0

//! Callbacks that give memory back when the kernel has run out of it.
//!
//! The kernel calls them when reclaim has failed, before the OOM killer chooses a process. If one
//! of them gives memory back, the kernel tries the request again, and kills nobody.
//!
//! The kernel does not call them if a control group has reached its own limit (`memory.max`). In
//! that case, memory that is charged to no group would not help. After SysRq+F, the kernel calls
//! them, and kills a process in any case.
//!
//! An [`OomNotifier`] that is leaked (`mem::forget`) keeps the module loaded, see
//! [`unload`](crate::ffi::unload).
//!
//! C header: [`include/linux/oom.h`](srctree/include/linux/oom.h)

use crate::ffi::{
    context::{
        Context,
        IrqsOn,
        Kind, //
    },
    helpers,
    unload::CallbackRegistration, //
};
use kernel::{
    bindings,
    container_of,
    error::to_result,
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// The context of a call because memory has run out: a task that waits for memory.
///
/// It may sleep, but it must not allocate with `GFP_KERNEL`: such a request would wait for this
/// call to end. So the token allows taking locks, and nothing else.
///
/// # Invariants
///
/// Exists only during a call by the kernel, in task context with interrupts enabled.
pub struct OomContext(NotThreadSafe);

// SAFETY: Only `OomNotifier::call` makes one, which the kernel calls in task context, and it lends
// it for the call only. `NotThreadSafe` keeps the token from being sent or shared.
unsafe impl Context for OomContext {
    const KIND: Kind = Kind::Task;
}
// SAFETY: By the invariant.
unsafe impl IrqsOn for OomContext {}

/// Something that can give memory back.
pub trait OutOfMemory: Send + Sync + 'static {
    /// Gives pages back to the allocator, and returns how many. If the callbacks return 0, the OOM
    /// killer kills a process.
    ///
    /// Called by any task that needs memory, possibly with locks held. The kernel makes one such
    /// call at a time, and holds `oom_lock` meanwhile, so other tasks that need memory wait. The
    /// call may sleep, but should be short. It must not wait for a lock under which other code
    /// allocates with `GFP_KERNEL`.
    fn give_back(&self, cx: &mut OomContext) -> usize;
}

/// A registered callback and its value.
///
/// # Invariants
///
/// `inner.block` is registered with `Self::call`.
pub struct OomNotifier<O: OutOfMemory> {
    inner: KBox<Inner<O>>,
    _registration: CallbackRegistration,
}

struct Inner<O> {
    block: Opaque<bindings::notifier_block>,
    value: O,
}

// SAFETY: Any thread may unregister a callback; `O` is `Send` and `Sync`.
unsafe impl<O: OutOfMemory> Send for OomNotifier<O> {}
// SAFETY: A shared reference gives access to nothing.
unsafe impl<O: OutOfMemory> Sync for OomNotifier<O> {}

impl<O: OutOfMemory> OomNotifier<O> {
    /// Asks `value` for memory from now on. Task context only, may sleep. Fails with `ENOMEM` if
    /// there is no memory.
    pub fn new(value: O) -> Result<Self> {
        let registration = CallbackRegistration::new(Self::call as *const c_void)?;
        let inner = KBox::new(
            Inner {
                block: Opaque::zeroed(),
                value,
            },
            GFP_KERNEL,
        )?;

        // SAFETY: The block is that of an `Inner<O>` that stays in place until `drop` has
        // unregistered it, as `call` requires.
        to_result(unsafe { helpers::labyrinth_oom_register(inner.block.get(), Some(Self::call)) })?;
        // INVARIANT: Just registered.
        Ok(Self {
            inner,
            _registration: registration,
        })
    }

    /// Called by the kernel in task context.
    ///
    /// # Safety
    ///
    /// `block` must be the field of a live `Inner<O>`, and `freed` an `unsigned long` that no other
    /// code uses during the call. The context must be a task's, with interrupts enabled.
    unsafe extern "C" fn call(
        block: *mut bindings::notifier_block,
        _action: c_ulong,
        freed: *mut c_void,
    ) -> c_int {
        // SAFETY: By the requirement above; only shared references to the value exist.
        let inner = unsafe { &*container_of!(Opaque::cast_from(block), Inner<O>, block) };
        // INVARIANT: By the requirement above; it ends with this call.
        let mut cx = OomContext(NotThreadSafe);
        let pages = inner.value.give_back(&mut cx);
        // SAFETY: By the requirement above.
        let freed = unsafe { &mut *freed.cast::<c_ulong>() };

        *freed = freed.saturating_add(pages as c_ulong);
        bindings::NOTIFY_OK as c_int
    }
}

impl<O: OutOfMemory> Drop for OomNotifier<O> {
    /// Waits for a call in progress. Task context only, sleeps; never in the callback.
    fn drop(&mut self) {
        // SAFETY: By the invariant it is registered. The kernel does not use the block afterwards,
        // and no call is in progress: the list of callbacks is locked during each call.
        unsafe { helpers::labyrinth_oom_unregister(self.inner.block.get()) };
    }
}
