// SPDX-License-Identifier: GPL-2.0

//! Timers that expire in the timer softirq (`timer_list`).
//!
//! # Vocabulary
//!
//! - *armed*: waiting to expire; *running*: its handler is being called; *idle*: neither;
//!   *shut down*: idle for ever.
//! - The *handler* says by its return value ([`Next`]) whether the timer is armed again.
//!
//! # State diagram
//!
//! ```text
//!               start_on()           expiry
//!   (nothing) ─────────────► armed ─────────► running
//!                              ▲                │ │
//!                              └──Next::After───┘ └─Next::Stop─► idle
//!
//!   drop, from any state ──► waits while running ──► shut down
//! ```
//!
//! There is no way to arm a timer from outside its handler, so there is no race to lose: dropping
//! it calls `timer_shutdown_sync()`, which waits for a running handler and takes back what that has
//! armed.
//!
//! A [`Timer`] that is leaked (`mem::forget`) keeps the module loaded, see
//! [`unload`](crate::ffi::unload).
//!
//! A timer never expires early. It expires late by up to two jiffies (8 ms at `CONFIG_HZ=250`) for
//! short delays and by up to 1/8 of the delay for long ones: a delay is rounded up to whole
//! jiffies, and the timer wheel rounds up once more, the more coarsely the further away the expiry
//! is.
//!
//! C header: [`include/linux/timer.h`](srctree/include/linux/timer.h)

use crate::ffi::{
    context::Softirq,
    cpu::online::OnlineCpu,
    helpers,
    unload::CallbackRegistration, //
};
use kernel::{
    bindings,
    container_of,
    prelude::*,
    types::Opaque, //
};

/// What a timer does after its handler returns.
pub enum Next {
    /// Expire again after so many microseconds, on the same CPU.
    After(u32),
    /// Stay idle.
    Stop,
}

/// What happens when a timer expires.
pub trait Handler: Send + 'static {
    /// Called in the timer softirq of the CPU that the timer was started on (of another one, once
    /// that has gone offline), never concurrently with itself. Must not sleep. On PREEMPT_RT it
    /// runs in a softirq thread.
    fn expired(&mut self, cx: &mut Softirq) -> Next;
}

/// The part of a timer whose address the kernel has.
///
/// # Invariants
///
/// - `timer` is initialised with `Self::expire` and is armed only by `start_on` and by `expire`
///   itself.
/// - `handler` is accessed only by `expire`, until the timer is shut down.
#[pin_data(PinnedDrop)]
struct Inner<H: Handler> {
    #[pin]
    timer: Opaque<bindings::timer_list>,
    /// Opaque, as `expire` has a unique reference to it while others may have one to `self`.
    #[pin]
    handler: Opaque<H>,
    _callback: CallbackRegistration,
}

// SAFETY: The timer core may be called from any thread, and `H: Send` allows the handler to be
// dropped on another thread (and called on another CPU) than the one that made it.
unsafe impl<H: Handler> Send for Inner<H> {}
// SAFETY: A shared reference gives access to nothing.
unsafe impl<H: Handler> Sync for Inner<H> {}

/// A timer, pinned to a CPU, that owns its handler.
///
/// The kernel's part is in memory of its own. Safe code can free the memory of a pinned value
/// without dropping it (`MaybeUninit::pin_init`), and the timer would still be armed.
#[pin_data]
pub struct Timer<H: Handler> {
    _inner: Pin<KBox<Inner<H>>>,
}

impl<H: Handler> Timer<H> {
    /// Starts a timer that first expires `delay_us` microseconds from now on `cpu`.
    ///
    /// Any context that may use `GFP_ATOMIC`, which it allocates with; an [`OnlineCpu`] comes from
    /// task context. When `cpu` goes offline later, the kernel moves the timer to another one.
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

impl<H: Handler> Inner<H> {
    fn start_on<'a>(
        cpu: OnlineCpu<'a>,
        delay_us: u32,
        handler: H,
    ) -> impl PinInit<Self, Error> + use<'a, H> {
        // INVARIANT: The timer is initialised with `expire` and armed here, once.
        try_pin_init!(Self {
            _callback: CallbackRegistration::new(Self::expire as *const c_void)?,
            timer <- Opaque::ffi_init(|timer| {
                // SAFETY: `timer` points to memory for a `timer_list` that stays put (it is
                // pinned) and outlives its use (`drop` shuts it down).
                unsafe { helpers::labyrinth_timer_init(timer, Some(Self::expire)) }
            }),
            handler: Opaque::new(handler),
        }? Error)
        .pin_chain(move |this| {
            let cpu = cpu.number() as c_int;
            // SAFETY: The timer is initialised and was never armed, so it is neither pending nor
            // running; the CPU is online.
            unsafe { helpers::labyrinth_timer_start_on(this.timer.get(), cpu, delay_us) };
            Ok(())
        })
    }

    /// Called by the kernel in the timer softirq.
    ///
    /// # Safety
    ///
    /// `timer` must be the field of a live, pinned `Self`, and no other call for the same `timer`
    /// may be in progress.
    unsafe extern "C" fn expire(timer: *mut bindings::timer_list) {
        // SAFETY: By the requirement above.
        let this = unsafe { container_of!(Opaque::cast_from(timer), Self, timer) };
        // SAFETY: `this` is live. `expire` is the only one to access the handler (type invariant),
        // and a timer never runs concurrently with itself: the timer core does not move a running
        // timer to another CPU's base, and one base runs one timer at a time.
        let handler = unsafe { &mut *(*this).handler.get() };
        // SAFETY: The timer core calls from the timer softirq, for the duration of this function.
        let mut cx = unsafe { Softirq::assume() };

        if let Next::After(delay_us) = handler.expired(&mut cx) {
            // SAFETY: `timer` is initialised. A shutdown meanwhile waits for this function and then
            // takes the timer off again.
            unsafe { helpers::labyrinth_timer_rearm(timer, delay_us) };
        }
    }
}

#[pinned_drop]
impl<H: Handler> PinnedDrop for Inner<H> {
    /// Waits for a running handler. Task context only; may sleep (PREEMPT_RT); never in the handler
    /// itself, nor under a lock that the handler takes.
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The timer is initialised (type invariant).
        unsafe { bindings::timer_shutdown_sync(self.timer.get()) };
        // SAFETY: Nobody runs the handler any more, and it is dropped only here.
        unsafe { core::ptr::drop_in_place(self.handler.get()) };
    }
}
