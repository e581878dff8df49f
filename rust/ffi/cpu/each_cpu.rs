// SPDX-License-Identifier: GPL-2.0

//! Calls a handler for each online CPU, for each CPU that comes online, and before one goes
//! offline.
//!
//! ```text
//!   EachCpu::new() ── for each CPU that is online ──► arrive()
//!   a CPU comes online, also after suspend ─────────► arrive()
//!   a CPU goes offline, also before suspend ────────► leave()
//!   drop ── for each CPU that is online ────────────► leave()
//! ```
//!
//! The callbacks belong to a state of the ONLINE section. They run on the CPU itself, in its
//! `cpuhp` thread: on the way up before user space runs there, on the way down when user space no
//! longer runs there. So a timer that `leave` stops has never been moved to another CPU.
//!
//! # Lock order
//!
//! `new` and `drop` take the CPU hotplug lock for reading. During the callbacks the task that waits
//! for them holds the lock. So a callback must take neither the hotplug lock nor any lock that is
//! held around `new` or `drop`.
//!
//! An [`EachCpu`] that is leaked (`mem::forget`) keeps the module loaded, see
//! [`unload`](crate::ffi::unload).
//!
//! C header: [`include/linux/cpuhotplug.h`](srctree/include/linux/cpuhotplug.h)

use super::online::OnlineCpu;
use crate::ffi::{
    context::Task,
    helpers,
    unload::CallbackRegistration, //
};
use kernel::{
    bindings,
    container_of,
    error::to_result,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    types::Opaque, //
};

/// A handler for CPUs that come and go.
pub trait CpuHandler: Send + Sync + 'static {
    /// The CPU has come online. Called on that CPU, in task context; may sleep. It never runs
    /// concurrently with itself or with [`Self::leave`].
    ///
    /// An error makes [`EachCpu::new`] fail. Later, an error does not keep a CPU from coming
    /// online: then the handler must do without the CPU, and report it.
    fn arrive(&self, cpu: OnlineCpu<'_>) -> Result;

    /// The CPU is about to go offline, or the [`EachCpu`] is being dropped. Called on the CPU, in
    /// task context, once for each call of [`Self::arrive`], failed or not; may sleep.
    fn leave(&self, cpu: OnlineCpu<'_>);
}

/// A registered handler.
///
/// # Invariants
///
/// `inner.node` is registered for `state`, which is ours, with `Self::online` and
/// `Self::offline`.
pub struct EachCpu<H: CpuHandler> {
    state: c_int,
    inner: KBox<Inner<H>>,
    _registration: CallbackRegistration,
}

struct Inner<H> {
    node: Opaque<bindings::hlist_node>,
    /// The first error of [`CpuHandler::arrive`], or 0.
    error: Atomic<i32>,
    handler: H,
}

// SAFETY: Any thread may register and unregister; `H` is `Send` and `Sync`.
unsafe impl<H: CpuHandler> Send for EachCpu<H> {}
// SAFETY: A shared reference gives access to nothing.
unsafe impl<H: CpuHandler> Sync for EachCpu<H> {}

impl<H: CpuHandler> EachCpu<H> {
    /// Calls `handler` for each online CPU, and for those that come and go from now on. `name`
    /// appears in `/sys/devices/system/cpu/hotplug/states`. Task context, sleeps; takes the CPU
    /// hotplug lock.
    ///
    /// Fails with the first error of [`CpuHandler::arrive`], after [`CpuHandler::leave`] was called
    /// for all CPUs. Fails with `ENOSPC` when the kernel has no state left: there are about 40 for
    /// all modules together.
    pub fn new(_cx: &Task, name: &'static CStr, handler: H) -> Result<Self> {
        let registration = CallbackRegistration::new(Self::online as *const c_void)?;
        let inner = KBox::new(
            Inner {
                node: Opaque::zeroed(),
                error: Atomic::new(0),
                handler,
            },
            GFP_KERNEL,
        )?;

        // SAFETY: `name` lives for ever. The node is that of an `Inner<H>` that stays in place
        // until `drop` has unregistered it, as the callbacks require.
        let state = unsafe {
            helpers::labyrinth_each_cpu_register(
                name.as_char_ptr(),
                inner.node.get(),
                Some(Self::online),
                Some(Self::offline),
            )
        };
        if state < 0 {
            return to_result(state).and(Err(EINVAL));
        }
        // INVARIANT: The node was just registered for a new state.
        let this = Self {
            state,
            inner,
            _registration: registration,
        };
        to_result(this.inner.error.load(Relaxed))?;
        Ok(this)
    }

    /// Called by the kernel in task context.
    ///
    /// # Safety
    ///
    /// `node` must be the field of a live `Inner<H>`, and the CPU `cpu` must stay online during the
    /// call.
    unsafe extern "C" fn online(cpu: c_uint, node: *mut bindings::hlist_node) -> c_int {
        // SAFETY: By the requirement above; only shared references to the handler exist.
        let inner = unsafe { &*container_of!(Opaque::cast_from(node), Inner<H>, node) };
        // SAFETY: By the requirement above.
        let cpu = unsafe { OnlineCpu::assume(cpu) };

        if let Err(error) = inner.handler.arrive(cpu) {
            // The kernel would take the CPU down again if this returned the error. `new` checks the
            // first error; later ones are ignored.
            let _ = inner.error.cmpxchg(0, error.to_errno(), Relaxed);
        }
        0
    }

    /// Called by the kernel in task context.
    ///
    /// # Safety
    ///
    /// As for [`Self::online`].
    unsafe extern "C" fn offline(cpu: c_uint, node: *mut bindings::hlist_node) -> c_int {
        // SAFETY: By the requirement above; only shared references to the handler exist.
        let inner = unsafe { &*container_of!(Opaque::cast_from(node), Inner<H>, node) };
        // SAFETY: By the requirement above.
        let cpu = unsafe { OnlineCpu::assume(cpu) };

        inner.handler.leave(cpu);
        0
    }
}

impl<H: CpuHandler> Drop for EachCpu<H> {
    /// Calls [`CpuHandler::leave`] for each online CPU. Task context only, sleeps; takes the CPU
    /// hotplug lock.
    fn drop(&mut self) {
        // SAFETY: By the invariant; the kernel does not touch the node afterwards.
        unsafe { helpers::labyrinth_each_cpu_unregister(self.state, self.inner.node.get()) };
    }
}
