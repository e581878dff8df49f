// SPDX-License-Identifier: GPL-2.0

//! Timers that expire in a hard interrupt (`hrtimer`, hard mode), on PREEMPT_RT, too.
//!
//! # Vocabulary and states
//!
//! Those of [`timer`](crate::ffi::time::timer), with two differences: the handler runs in a hard interrupt
//! with interrupts disabled, and expiry is exact to the resolution of the clock event device where
//! the kernel has high-resolution timers, to the tick elsewhere.
//!
//! There is no way to arm a timer from outside its handler, so there is no race to lose: dropping
//! it calls `hrtimer_cancel()`, which waits for a running handler and takes back what that has
//! armed.
//!
//! A [`HardTimer`] that is leaked (`mem::forget`) keeps the module loaded, see
//! [`unload`](crate::ffi::unload).
//!
//! C header: [`include/linux/hrtimer.h`](srctree/include/linux/hrtimer.h)

use super::timer::Next;
use crate::ffi::{
    compat,
    context::HardIrq,
    cpu::online::OnlineCpu,
    helpers,
    unload::CallbackRegistration, //
};
use kernel::{
    bindings,
    container_of,
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// What happens when a timer expires.
pub trait HardHandler: Send + 'static {
    /// Whether the handler takes a `spinlock_t`, as the plain allocator does. Lockdep is told, or
    /// it would report that: it holds hard timers to the rules of PREEMPT_RT, where this changes
    /// nothing, as no handler can take one there.
    const TAKES_SPINLOCKS: bool = false;

    /// Called in a hard interrupt of the CPU that the timer was started on (of another one, once
    /// that has gone offline), never concurrently with itself. Must not sleep and must be short.
    ///
    /// A delay so short that the next expiry comes before the handler is through keeps the CPU from
    /// doing anything else; the kernel breaks in only after a while.
    fn expired(&mut self, cx: &mut HardIrq) -> Next;
}

/// The part of a timer whose address the kernel has.
///
/// # Invariants
///
/// - `timer` is initialised with `Self::expire` and is armed only by `start_on` and by `expire`
///   itself.
/// - `handler` is accessed only by `expire`, until the timer is cancelled for good.
#[pin_data(PinnedDrop)]
struct Inner<H: HardHandler> {
    #[pin]
    timer: Opaque<bindings::hrtimer>,
    /// Opaque, as `expire` has a unique reference to it while others may have one to `self`.
    #[pin]
    handler: Opaque<H>,
    _callback: CallbackRegistration,
}

// SAFETY: The timer core may be called from any thread, and `H: Send` allows the handler to be
// dropped on another thread (and called on another CPU) than the one that made it.
unsafe impl<H: HardHandler> Send for Inner<H> {}
// SAFETY: A shared reference gives access to nothing.
unsafe impl<H: HardHandler> Sync for Inner<H> {}

/// A timer, pinned to a CPU, that owns its handler.
///
/// The kernel's part is in memory of its own. Safe code can free the memory of a pinned value
/// without dropping it (`MaybeUninit::pin_init`), and the timer would still be armed.
#[pin_data]
pub struct HardTimer<H: HardHandler> {
    _inner: Pin<KBox<Inner<H>>>,
}

impl<H: HardHandler> HardTimer<H> {
    /// Starts a timer that first expires `delay_us` microseconds from now on `cpu`.
    ///
    /// Task context: interrupts that CPU and waits for it. `EPERM` where one may not
    /// sleep. When `cpu` goes offline later, the kernel moves the timer to another one.
    pub fn start_on<'a>(
        cpu: OnlineCpu<'a>,
        delay_us: u32,
        handler: H,
    ) -> impl PinInit<Self, Error> + use<'a, H> {
        try_pin_init!(Self {
            _inner: KBox::try_pin_init(Inner::start_on(cpu, delay_us, handler), GFP_ATOMIC)?,
        }? Error)
    }
}

impl<H: HardHandler> Inner<H> {
    fn start_on<'a>(
        cpu: OnlineCpu<'a>,
        delay_us: u32,
        handler: H,
    ) -> impl PinInit<Self, Error> + use<'a, H> {
        // INVARIANT: The timer is initialised with `expire` and armed here, once.
        try_pin_init!(Self {
            _callback: CallbackRegistration::new(Self::expire as *const c_void)?,
            timer <- Opaque::ffi_init(|timer| {
                // SAFETY: `timer` points to memory for an `hrtimer` that stays put (it is pinned)
                // and outlives its use (`drop` cancels it).
                unsafe {
                    helpers::labyrinth_hard_timer_init(
                        timer,
                        Some(Self::expire),
                        H::TAKES_SPINLOCKS,
                    )
                }
            }),
            handler: Opaque::new(handler),
        }? Error)
        .pin_chain(move |this| {
            let cpu = cpu.number() as c_int;
            // SAFETY: The timer is initialised and was never armed, so it is neither pending nor
            // running; the CPU is online.
            to_result(unsafe {
                helpers::labyrinth_hard_timer_start_on(this.timer.get(), cpu, delay_us)
            })
        })
    }

    /// Called by the kernel in a hard interrupt.
    ///
    /// # Safety
    ///
    /// `timer` must be the field of a live, pinned `Self`, and no other call for the same `timer`
    /// may be in progress.
    unsafe extern "C" fn expire(timer: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
        // SAFETY: By the requirement above.
        let this = unsafe { container_of!(Opaque::cast_from(timer), Self, timer) };
        // SAFETY: `this` is live. `expire` is the only one to access the handler (type invariant),
        // and a timer never runs concurrently with itself: while it runs it is not moved to another
        // CPU's base, and one base runs one timer at a time.
        let handler = unsafe { &mut *(*this).handler.get() };
        // SAFETY: In hard mode, and without PREEMPT_RT in each but the soft one, the timer core
        // calls from a hard interrupt, with interrupts disabled, for the duration of this function.
        let mut cx = unsafe { HardIrq::assume() };

        match handler.expired(&mut cx) {
            Next::After(delay_us) => {
                // SAFETY: `timer` is initialised, and while its function runs it is not queued. A
                // cancellation meanwhile waits for this function and then takes the timer off
                // again.
                unsafe { helpers::labyrinth_hard_timer_expires_in(timer, delay_us) };
                compat::hrtimer_restart(true)
            }
            Next::Stop => compat::hrtimer_restart(false),
        }
    }
}

#[pinned_drop]
impl<H: HardHandler> PinnedDrop for Inner<H> {
    /// Waits for a running handler. Task and softirq context, never in the handler itself, nor
    /// under a lock that the handler takes.
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The timer is initialised (type invariant). Only its function could arm it again,
        // and does so before the cancellation is through.
        unsafe { bindings::hrtimer_cancel(self.timer.get()) };
        // SAFETY: Nobody runs the handler any more, and it is dropped only here.
        unsafe { core::ptr::drop_in_place(self.handler.get()) };
    }
}
