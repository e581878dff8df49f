// SPDX-License-Identifier: GPL-2.0

//! Calls a handler when a CPU is dead.
//!
//! The callback belongs to a state of the PREPARE section. On the way down these callbacks run
//! after the CPU has stopped, on another CPU, in the task that takes it down. The callback also
//! runs if a CPU failed to come up.
//!
//! A [`Hotplug`] that is leaked (`mem::forget`) keeps the module loaded, see
//! [`unload`](crate::ffi::unload).
//!
//! C header: [`include/linux/cpuhotplug.h`](srctree/include/linux/cpuhotplug.h)

use crate::ffi::{
    helpers,
    unload::CallbackRegistration, //
};
use core::marker::PhantomData;
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

/// A CPU that is offline. Nothing runs there, and nothing will while this value exists.
///
/// A handler gets a mutable reference to the only such value, so its access to the CPU's data is
/// exclusive.
///
/// # Invariants
///
/// The number is that of a possible CPU that does not run during `'a`, as the CPU hotplug lock is
/// held for writing. There is no other value for this CPU.
pub struct DeadCpu<'a> {
    number: u32,
    _during: PhantomData<&'a mut ()>,
    _here: NotThreadSafe,
}

impl DeadCpu<'_> {
    /// The CPU's number. Any context.
    pub fn number(&self) -> u32 {
        self.number
    }
}

/// A handler for CPUs that have died.
pub trait CpuDead: Send + Sync + 'static {
    /// Called in task context on another CPU. May sleep, but the CPU hotplug lock is held for
    /// writing: it must not take that lock
    /// ([`HotplugGuard`](crate::ffi::cpu::online::HotplugGuard)), nor wait for a task that takes
    /// it. It never runs concurrently with itself.
    fn dead(&self, cpu: &mut DeadCpu<'_>);
}

/// A registered callback and its handler.
///
/// # Invariants
///
/// `inner.node` is registered for `state`, which is ours, with `Self::call`.
pub struct Hotplug<H: CpuDead> {
    state: c_int,
    inner: KBox<Inner<H>>,
    _registration: CallbackRegistration,
}

struct Inner<H> {
    node: Opaque<bindings::hlist_node>,
    handler: H,
}

// SAFETY: Any thread may register and unregister; `H` is `Send` and `Sync`.
unsafe impl<H: CpuDead> Send for Hotplug<H> {}
// SAFETY: A shared reference gives access to nothing.
unsafe impl<H: CpuDead> Sync for Hotplug<H> {}

impl<H: CpuDead> Hotplug<H> {
    /// Calls `handler` for each CPU that dies from now on. `name` appears in
    /// `/sys/devices/system/cpu/hotplug/states`. Task context only, may sleep; takes the CPU
    /// hotplug lock.
    ///
    /// Fails with `ENOSPC` when the kernel has no state left: there are about 20 for all modules
    /// together.
    pub fn new(name: &'static CStr, handler: H) -> Result<Self> {
        let registration = CallbackRegistration::new(Self::call as *const c_void)?;
        let inner = KBox::new(
            Inner {
                node: Opaque::zeroed(),
                handler,
            },
            GFP_KERNEL,
        )?;

        // SAFETY: `name` lives for ever. The node is that of an `Inner<H>` that stays in place
        // until `drop` has unregistered it, as `call` requires.
        let state = unsafe {
            helpers::labyrinth_hotplug_register(
                name.as_char_ptr(),
                inner.node.get(),
                Some(Self::call),
            )
        };
        if state < 0 {
            return to_result(state).and(Err(EINVAL));
        }
        // INVARIANT: The node was just registered for a new state.
        Ok(Self {
            state,
            inner,
            _registration: registration,
        })
    }

    /// Called by the kernel in task context.
    ///
    /// # Safety
    ///
    /// `node` must be the field of a live `Inner<H>`, and the CPU `cpu` must be dead and stay so
    /// during the call, with the hotplug lock held for writing.
    unsafe extern "C" fn call(cpu: c_uint, node: *mut bindings::hlist_node) -> c_int {
        // SAFETY: By the requirement above; only shared references to the handler exist.
        let inner = unsafe { &*container_of!(Opaque::cast_from(node), Inner<H>, node) };
        // INVARIANT: By the requirement above. The callbacks for a CPU are called one after the
        // other, so this is the only value for it.
        let mut cpu = DeadCpu {
            number: cpu,
            _during: PhantomData,
            _here: NotThreadSafe,
        };

        inner.handler.dead(&mut cpu);
        0
    }
}

impl<H: CpuDead> Drop for Hotplug<H> {
    /// Waits for a callback that is running. Task context only, may sleep; takes the CPU hotplug
    /// lock.
    fn drop(&mut self) {
        // SAFETY: By the invariant; the kernel does not touch the node afterwards.
        unsafe { helpers::labyrinth_hotplug_unregister(self.state, self.inner.node.get()) };
    }
}
