// SPDX-License-Identifier: GPL-2.0

//! Timers that expire in the timer softirq (`timer_list`) or in a hard interrupt (`hrtimer`, hard
//! mode).
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
//! it calls `timer_shutdown_sync()` or `hrtimer_cancel()`, which waits for a running handler and
//! undoes the arming by that handler.
//!
//! A [`Timer`] that is leaked (`mem::forget`) keeps the module loaded, see
//! [`unload`](crate::ffi::unload).
//!
//! # Precision
//!
//! A timer never expires early.
//!
//! - In the softirq it expires late by up to two jiffies (8 ms at `CONFIG_HZ=250`) for short delays
//!   and by up to 1/8 of the delay for long ones. The kernel rounds a delay up to whole jiffies.
//!   Its timer wheel rounds up again, and more coarsely for longer delays.
//! - In a hard interrupt, on PREEMPT_RT, too, it expires with the resolution of the clock event
//!   device where the kernel has high-resolution timers, and with that of the tick elsewhere.
//!
//! C headers: [`include/linux/timer.h`](srctree/include/linux/timer.h),
//! [`include/linux/hrtimer.h`](srctree/include/linux/hrtimer.h)

use crate::ffi::{
    compat,
    context::{
        HardIrq,
        Softirq, //
    },
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

/// The answer of a handler: whether its timer expires again.
pub enum Next {
    /// Expire again after this many microseconds, on the same CPU.
    After(u32),
    /// Stay idle.
    Stop,
}

/// A handler is called each time its timer expires, in the context `C`.
pub trait Handler<C: Expiry = Softirq>: Send + 'static {
    /// Whether the handler takes a `spinlock_t`, as the plain allocator does. This matters only in
    /// hard interrupts: lockdep applies the rules of PREEMPT_RT to their timers, and reports such a
    /// lock unless this is true. On PREEMPT_RT it changes nothing, because no such handler can take
    /// a `spinlock_t`.
    const TAKES_SPINLOCKS: bool = false;

    /// Called on the CPU that the timer was started on (on another one, once that has gone
    /// offline), never concurrently with itself. Must not sleep. On PREEMPT_RT a softirq is served
    /// by a thread.
    ///
    /// In a hard interrupt it must be short. If the delay is so short that the timer expires again
    /// before the handler has returned, the CPU does nothing else, and the kernel intervenes only
    /// after a while.
    fn expired(&mut self, cx: &mut C) -> Next;
}

/// A context that timers expire in: [`Softirq`] or [`HardIrq`].
#[diagnostic::on_unimplemented(
    message = "no timer expires in the context `{Self}`",
    note = "timers expire in `Softirq` and in `HardIrq`"
)]
pub trait Expiry: KernelTimer {}

impl Expiry for Softirq {}
impl Expiry for HardIrq {}

/// The kernel's timer that expires in this context. Other crates cannot name this trait, so they
/// do not implement it.
///
/// # Safety
///
/// - `function` returns the address of code in the module that instantiates it.
/// - From `start_on` until `shut_down` returns, only the timer core and the timer's function
///   access the timer. The function runs in the context `Self` and calls
///   [`expired`](Inner::expired), never concurrently with itself.
#[allow(unnameable_types, reason = "sealed")]
pub unsafe trait KernelTimer: Sized + 'static {
    /// The timer.
    type Raw;

    /// The address of the function that the kernel calls for a handler `H`.
    fn function<H: Handler<Self>>() -> *const c_void
    where
        Self: Expiry;

    /// Initialises a timer.
    ///
    /// # Safety
    ///
    /// `timer` must point to the field of an [`Inner<H, Self>`](Inner), which is pinned.
    unsafe fn init<H: Handler<Self>>(timer: *mut Self::Raw)
    where
        Self: Expiry;

    /// Arms a timer for the first time.
    ///
    /// # Safety
    ///
    /// The timer must be initialised and must never have been armed. The CPU must be online
    /// during the call. The handler must be initialised, and neither the timer nor the handler
    /// may be touched or moved until `shut_down` has returned.
    unsafe fn start_on(timer: *mut Self::Raw, cpu: c_int, delay_us: u32) -> Result;

    /// Waits until the timer's function has returned. It is not called again.
    ///
    /// # Safety
    ///
    /// The timer must be initialised.
    unsafe fn shut_down(timer: *mut Self::Raw);
}

/// The part of a timer whose address the kernel has.
///
/// # Invariants
///
/// - `timer` is initialised for `H`, and only `start_on` and its own function arm it.
/// - Only `expired` accesses `handler`, until the timer is shut down.
#[pin_data(PinnedDrop)]
struct Inner<H: Handler<C>, C: Expiry> {
    #[pin]
    timer: Opaque<C::Raw>,
    /// Opaque, as `expired` has a unique reference to it while others may have one to `self`.
    #[pin]
    handler: Opaque<H>,
    _callback: CallbackRegistration,
}

// SAFETY: The timer core may be called from any thread, and `H: Send` allows the handler to be
// dropped on another thread (and called on another CPU) than the one that made it.
unsafe impl<H: Handler<C>, C: Expiry> Send for Inner<H, C> {}
// SAFETY: A shared reference gives access to nothing.
unsafe impl<H: Handler<C>, C: Expiry> Sync for Inner<H, C> {}

/// A timer, pinned to a CPU, that owns its handler and expires in the context `C`.
///
/// The kernel's part is in memory of its own. Safe code can free the memory of a pinned value
/// without dropping it (`MaybeUninit::pin_init`), and the timer would still be armed.
///
/// Dropping it waits for a running handler. It must not be dropped in the handler itself, nor under
/// a lock that the handler takes. Task context; a timer that expires in hard interrupts may be
/// dropped in a softirq, too.
#[pin_data]
pub struct Timer<H: Handler<C>, C: Expiry = Softirq> {
    _inner: Pin<KBox<Inner<H, C>>>,
}

impl<H: Handler<C>, C: Expiry> Timer<H, C> {
    /// Starts a timer that first expires `delay_us` microseconds from now on `cpu`.
    ///
    /// Allocates with `GFP_ATOMIC`. A timer that expires in the softirq may be started in any
    /// context that allows this; an [`OnlineCpu`] comes from task context. One that expires in hard
    /// interrupts is started in task context, as it interrupts that CPU and waits for it: `EPERM`
    /// where one may not sleep. When `cpu` goes offline later, the kernel moves the timer to
    /// another one.
    pub fn start_on<'a>(
        cpu: OnlineCpu<'a>,
        delay_us: u32,
        handler: H,
    ) -> impl PinInit<Self, Error> + use<'a, H, C> {
        try_pin_init!(Self {
            _inner: KBox::try_pin_init(Inner::start_on(cpu, delay_us, handler), GFP_ATOMIC)?,
        }? Error)
    }
}

impl<H: Handler<C>, C: Expiry> Inner<H, C> {
    fn start_on<'a>(
        cpu: OnlineCpu<'a>,
        delay_us: u32,
        handler: H,
    ) -> impl PinInit<Self, Error> + use<'a, H, C> {
        // INVARIANT: The timer is initialised for `H` and armed here, once.
        try_pin_init!(Self {
            _callback: CallbackRegistration::new(C::function::<H>())?,
            timer <- Opaque::ffi_init(|timer| {
                // SAFETY: `timer` is the field of a value that is being pinned.
                unsafe { C::init::<H>(timer) }
            }),
            handler: Opaque::new(handler),
        }? Error)
        .pin_chain(move |this| {
            let cpu = cpu.number() as c_int;
            // SAFETY: The timer is initialised and was never armed; the CPU is online. `drop` shuts
            // the timer down before anything else is done with it or with the handler.
            unsafe { C::start_on(this.timer.get(), cpu, delay_us) }
        })
    }

    /// Calls the handler.
    ///
    /// # Safety
    ///
    /// `timer` must be the field of a live, pinned `Self`, and no other call for the same `timer`
    /// may be in progress.
    unsafe fn expired(timer: *mut C::Raw, cx: &mut C) -> Next {
        // SAFETY: By the requirement above.
        let this = unsafe { container_of!(Opaque::cast_from(timer), Self, timer) };
        // SAFETY: `this` is live. Only this function accesses the handler (type invariant), and it
        // is called once at a time.
        unsafe { &mut *(*this).handler.get() }.expired(cx)
    }
}

#[pinned_drop]
impl<H: Handler<C>, C: Expiry> PinnedDrop for Inner<H, C> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The timer is initialised (type invariant).
        unsafe { C::shut_down(self.timer.get()) };
        // SAFETY: Nobody runs the handler any more, and it is dropped only here.
        unsafe { core::ptr::drop_in_place(self.handler.get()) };
    }
}

impl<H: Handler<Softirq>> Inner<H, Softirq> {
    /// The function of a `timer_list`.
    ///
    /// # Safety
    ///
    /// As for [`Self::expired`]. Must be called by the timer core, in the timer softirq.
    unsafe extern "C" fn in_softirq(timer: *mut bindings::timer_list) {
        // SAFETY: A softirq is being served for the duration of this function.
        let mut cx = unsafe { Softirq::assume() };

        // SAFETY: By the requirement above.
        if let Next::After(delay_us) = unsafe { Self::expired(timer, &mut cx) } {
            // SAFETY: `timer` is initialised. A concurrent shutdown waits for this function, and
            // then removes the timer.
            unsafe { helpers::labyrinth_timer_rearm(timer, delay_us) };
        }
    }
}

// SAFETY: A generic function is instantiated where it is used. The timer core calls it in the timer
// softirq, and never concurrently with itself: it does not move a running timer to another CPU's
// base, and one base runs one timer at a time. `timer_shutdown_sync()` waits for the function, and
// keeps the timer from being armed.
unsafe impl KernelTimer for Softirq {
    type Raw = bindings::timer_list;

    fn function<H: Handler<Self>>() -> *const c_void {
        Inner::<H, Self>::in_softirq as *const c_void
    }

    unsafe fn init<H: Handler<Self>>(timer: *mut Self::Raw) {
        // SAFETY: `timer` points to memory for a `timer_list`, which stays in place.
        unsafe { helpers::labyrinth_timer_init(timer, Some(Inner::<H, Self>::in_softirq)) }
    }

    unsafe fn start_on(timer: *mut Self::Raw, cpu: c_int, delay_us: u32) -> Result {
        // SAFETY: The timer is neither pending nor running, and the CPU is online.
        unsafe { helpers::labyrinth_timer_start_on(timer, cpu, delay_us) };
        Ok(())
    }

    unsafe fn shut_down(timer: *mut Self::Raw) {
        // SAFETY: The timer is initialised.
        unsafe { bindings::timer_shutdown_sync(timer) };
    }
}

impl<H: Handler<HardIrq>> Inner<H, HardIrq> {
    /// The function of an `hrtimer`.
    ///
    /// # Safety
    ///
    /// As for [`Self::expired`]. Must be called by the timer core, for a timer in hard mode.
    unsafe extern "C" fn in_hard_irq(timer: *mut bindings::hrtimer) -> bindings::hrtimer_restart {
        // SAFETY: In hard mode the timer core calls from a hard interrupt, with interrupts
        // disabled, for the duration of this function.
        let mut cx = unsafe { HardIrq::assume() };

        // SAFETY: By the requirement above.
        match unsafe { Self::expired(timer, &mut cx) } {
            Next::After(delay_us) => {
                // SAFETY: `timer` is initialised, and while its function runs it is not queued. A
                // concurrent cancellation waits for this function, and then removes the timer.
                unsafe { helpers::labyrinth_hard_timer_expires_in(timer, delay_us) };
                compat::hrtimer_restart(true)
            }
            Next::Stop => compat::hrtimer_restart(false),
        }
    }
}

// SAFETY: A generic function is instantiated where it is used. In hard mode, and without PREEMPT_RT
// in each but the soft one, the timer core calls it in a hard interrupt, and never concurrently
// with itself: while a timer runs it is not moved to another CPU's base, and one base runs one
// timer at a time. `hrtimer_cancel()` waits for the function; only that could arm the timer again,
// and it does so before the cancellation returns.
unsafe impl KernelTimer for HardIrq {
    type Raw = bindings::hrtimer;

    fn function<H: Handler<Self>>() -> *const c_void {
        Inner::<H, Self>::in_hard_irq as *const c_void
    }

    unsafe fn init<H: Handler<Self>>(timer: *mut Self::Raw) {
        let function = Some(
            Inner::<H, Self>::in_hard_irq
                as unsafe extern "C" fn(*mut bindings::hrtimer) -> bindings::hrtimer_restart,
        );
        // SAFETY: `timer` points to memory for an `hrtimer`, which stays in place.
        unsafe { helpers::labyrinth_hard_timer_init(timer, function, H::TAKES_SPINLOCKS) }
    }

    unsafe fn start_on(timer: *mut Self::Raw, cpu: c_int, delay_us: u32) -> Result {
        // SAFETY: The timer is neither pending nor running, and the CPU is online.
        to_result(unsafe { helpers::labyrinth_hard_timer_start_on(timer, cpu, delay_us) })
    }

    unsafe fn shut_down(timer: *mut Self::Raw) {
        // SAFETY: The timer is initialised.
        unsafe { bindings::hrtimer_cancel(timer) };
    }
}
