// SPDX-License-Identifier: GPL-2.0

//! Proof of the context that code runs in, as zero-sized tokens.
//!
//! # Vocabulary
//!
//! - A *context* says what code may do: sleep (task), or not (softirq, under a spinlock).
//! - A *token* is a value of a type that implements [`Context`]. Code that has a reference to a
//!   token runs in that context for as long as the reference lives. Tokens are made by the wrapper
//!   that enters the context ([`timer`](crate::ffi::time::timer),
//!   [`thread`](crate::ffi::task::thread), [`spin_lock`](crate::ffi::sync::spin_lock),
//!   [`irq`](crate::ffi::irq), [`pci`](crate::ffi::pci)), never by its user. Where there is no such
//!   wrapper, [`with_task`], [`with_device_irq`] and [`with_hard_irq`] check the context at run
//!   time.
//!
//! ```text
//!   Thread body ────────► &mut Task ────┐
//!                                       ├── SpinLockBh::with ──► &SpinLocked
//!   Timer expires ──────► &mut Softirq ─┤
//!                                       ├── irqs_off ──────────► &IrqsOff
//!               or ────► &mut HardIrq ─┤
//!   Device interrupts ──► &mut DeviceIrq┘
//! ```
//!
//! Traits say what a context allows: [`MaySleep`], [`PlainAlloc`] (the page allocator may be
//! entered) and [`IrqsOn`] (bottom halves may be disabled and enabled). On PREEMPT_RT the
//! allocator's locks sleep, so there [`IrqsOff`] and [`HardIrq`] are not [`PlainAlloc`], and only
//! `alloc_pages_nolock()` can be used. [`DeviceIrq`] is always [`PlainAlloc`], because PREEMPT_RT
//! runs the handler of a device's interrupt in a thread.
//!
//! Code in a stricter context must reach no token of the context around it, or it could claim that
//! it may sleep. So tokens are not [`Send`], and our sections may capture, receive and return only
//! [`Send`] values, except for the token of the section itself. These sections are
//! [`irqs_off`](crate::ffi::irq::irqs_off),
//! [`SpinLockBh::with`](crate::ffi::sync::spin_lock::SpinLockBh::with),
//! [`RawSpinLock::with`](crate::ffi::sync::spin_lock::RawSpinLock::with),
//! [`CpuCell::with_of`](crate::ffi::percpu::cell::CpuCell::with_of),
//! [`RcuSlot::with`](crate::ffi::sync::rcu_slot::RcuSlot::with) and
//! [`Handles::with`](crate::ffi::sync::handles::Handles::with). The first two also borrow the outer
//! token mutably, so the signature says where they may be used. The last one hands on a token of
//! the context around it, but only one that is [`NoSleep`].
//!
//! Tokens stand only for contexts that labyrinth's own wrappers enter. A token does not show that a
//! guard of the kernel crate (`SpinLock`, RCU) makes the context stricter, and it does not prevent
//! calls of functions that sleep but take no token. `CONFIG_DEBUG_ATOMIC_SLEEP` finds both at run
//! time.
//!
//! # The kernel crate's own proofs
//!
//! `LocalInterruptDisabled` (since Linux 7.3) is a proof like [`IrqsOff`], and can be used in its
//! place: `SpinLockIrq::lock_with` takes the same one. In a callback of one of the kernel crate's
//! `HrTimer`s, [`of_soft_hrtimer`], [`of_hard_hrtimer`] and [`of_hrtimer`] give the token. In the
//! kernel crate's `irq::Handler`, [`with_device_irq`] does.
//!
//! C background: [`include/linux/preempt.h`](srctree/include/linux/preempt.h).

use super::helpers;
use core::ptr::NonNull;
#[cfg(labyrinth_since_7_3)]
use kernel::interrupt::LocalInterruptDisabled;
use kernel::{
    prelude::*,
    time::{
        hrtimer::{
            AbsoluteHardMode,
            AbsoluteMode,
            AbsolutePinnedHardMode,
            AbsolutePinnedMode,
            AbsolutePinnedSoftMode,
            AbsoluteSoftMode,
            HasHrTimer,
            HrTimerCallbackContext,
            HrTimerMode,
            RelativeHardMode,
            RelativeMode,
            RelativePinnedHardMode,
            RelativePinnedMode,
            RelativePinnedSoftMode,
            RelativeSoftMode, //
        },
        ClockSource, //
    },
    types::NotThreadSafe, //
};

/// A proof of context.
///
/// # Safety
///
/// Only code that runs in the context that the type stands for may be able to get a reference to a
/// value of the type, and only for as long as it runs there. This is about contexts that
/// labyrinth's own wrappers enter. While such a wrapper borrows the value mutably to enter a
/// stricter context, the stricter context counts.
pub unsafe trait Context {
    /// The kind of context that reports count a request under.
    const KIND: Kind;

    /// Whether the context is a softirq or a hard interrupt. There the allocator ignores the memory
    /// policy of the interrupted task.
    const INTERRUPTS: bool = false;
}

/// The kinds of contexts that are told apart in reports.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Task context.
    Task,
    /// A softirq.
    Softirq,
    /// Under a spinlock.
    SpinLocked,
    /// With interrupts disabled, hard interrupts included.
    IrqsOff,
}

impl Kind {
    /// All kinds, in the order of reports; `kind as usize` is the index.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Task, Self::Softirq, Self::SpinLocked, Self::IrqsOff];

    /// How many there are.
    pub const COUNT: usize = 4;

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Softirq => "softirq",
            Self::SpinLocked => "spinlock",
            Self::IrqsOff => "irqs_off",
        }
    }
}

/// A context that may sleep.
///
/// # Safety
///
/// As for [`PlainAlloc`], and the context must allow sleeping: no spinlock of labyrinth held, no
/// softirq or hard interrupt being served.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is atomic context, which may not sleep",
    label = "this needs a context that may sleep",
    note = "use an allocation flag that does not sleep, such as `GfpAtomic`"
)]
pub unsafe trait MaySleep: PlainAlloc {}

/// A context in which `alloc_pages()` may be called at all, with flags that do not sleep.
///
/// # Safety
///
/// As for [`Context`], and the allocator's locks must be allowed to be taken: `spinlock_t`, which
/// sleep on PREEMPT_RT. Not NMI.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a context that may not enter the page allocator",
    label = "this needs a context that may take a `spinlock_t`",
    note = "on PREEMPT_RT, `alloc_pages_nolock()` is what works with interrupts disabled"
)]
pub unsafe trait PlainAlloc: Context {}

/// A context with interrupts enabled.
///
/// # Safety
///
/// As for [`Context`], and interrupts must be enabled, so that bottom halves may be disabled and
/// enabled again (which can run them).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a context with interrupts disabled",
    label = "this needs interrupts to be enabled"
)]
pub unsafe trait IrqsOn: Context {}

/// A context whose token does not allow sleeping. A section that must not sleep can be handed such
/// a token of the context around it.
///
/// # Safety
///
/// The type must not implement [`MaySleep`], and a reference to a value must give access to no
/// token that does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` may be a context that allows to sleep",
    label = "this begins a section that must not sleep"
)]
pub unsafe trait NoSleep {}

/// Takes the place of a token where no token is needed.
pub struct NoToken;

/// Task (process) context: may sleep.
///
/// # Invariants
///
/// Can be reached only while the current task runs in a context that may sleep.
pub struct Task(NotThreadSafe);

/// Softirq context: may not sleep. On PREEMPT_RT this is a thread with bottom halves disabled.
///
/// # Invariants
///
/// Exists only while a softirq is being served on this CPU.
pub struct Softirq(NotThreadSafe);

/// Inside a critical section of a spinlock: may not sleep, whatever the context around it.
///
/// On PREEMPT_RT a `spinlock_t` is a sleeping lock and page allocation is fine under it; under a
/// `raw_spinlock_t` it would not be, and no token stands for that
/// ([`RawSpinLock`](crate::ffi::sync::spin_lock::RawSpinLock) keeps the tokens of the context
/// around it out of its sections).
///
/// # Invariants
///
/// Exists only while this CPU (PREEMPT_RT: this thread) holds a spinlock.
pub struct SpinLocked(NotThreadSafe);

/// With the interrupts of this CPU disabled: may not sleep, whatever the context around it.
///
/// # Invariants
///
/// Exists only while the interrupts of this CPU are disabled.
pub struct IrqsOff(NotThreadSafe);

/// A hard interrupt, interrupts disabled: may not sleep. It stays one on PREEMPT_RT.
///
/// # Invariants
///
/// Exists only while a hard interrupt is being served on this CPU, and interrupts are disabled.
pub struct HardIrq(NotThreadSafe);

/// The handler of an interrupt that PREEMPT_RT serves in a thread: may not sleep. Such handlers are
/// those of devices' interrupts, and the callback of an `hrtimer` that is neither soft nor hard.
///
/// With PREEMPT_RT, both run in a thread with bottom halves disabled and interrupts enabled.
/// Without PREEMPT_RT, both run with interrupts disabled: in a hard interrupt or, if the kernel's
/// command line has `threadirqs`, for a device's interrupt in a thread.
///
/// # Invariants
///
/// - With PREEMPT_RT: exists only in a thread with bottom halves disabled and interrupts enabled.
/// - Without PREEMPT_RT: exists only while the interrupts of this CPU are disabled.
pub struct DeviceIrq(NotThreadSafe);

/// A caller in C, which does not tell its context: may not sleep. `Kind::ALL[KIND]` is the context
/// as it was seen at run time. It is for reports only.
///
/// # Invariants
///
/// Exists only during a call from C, from a context that is [`PlainAlloc`].
pub(crate) struct CCaller<const KIND: usize>(NotThreadSafe);

impl Task {
    /// Asserts that the current context may sleep.
    ///
    /// # Safety
    ///
    /// The current context must be allowed to sleep for as long as the token exists, except where
    /// it is mutably borrowed to stand for a stricter context.
    pub(in crate::ffi) unsafe fn assume() -> Self {
        // INVARIANT: The caller promises exactly this.
        Self(NotThreadSafe)
    }
}

// Most functions that sleep take no token, so safe code can sleep in an RCU read-side section. With
// PREEMPT_RCU that does not end the section. PREEMPT_RCU also implies PREEMPT_COUNT, which
// `with_task` relies on.
#[cfg(not(CONFIG_PREEMPT_RCU))]
compile_error!(
    "labyrinth needs CONFIG_PREEMPT_RCU: elsewhere code that sleeps in an RCU read-side section ends it"
);

/// Runs `work` with a proof of task context, if this is task context. This is for code that the
/// kernel crate calls without a token, such as the `init` of a module or a KUnit test.
///
/// Any context. `EPERM` in a hard interrupt or softirq, with bottom halves, interrupts or
/// preemption disabled, and in an RCU read-side section.
///
/// `work` may capture another token. That does no harm: a section that `work` enters can reach
/// neither of them, because all that such a section captures is [`Send`].
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, sync::Arc};
/// use labyrinth::{context::with_task, pool::{PoolConfig, RegisteredPool}, Pool};
///
/// fn make_pool() -> Result<Arc<RegisteredPool>> {
///     with_task(|cx| Pool::new(cx, c"my_driver", PoolConfig::default()))?
/// }
/// ```
pub fn with_task<R>(work: impl FnOnce(&mut Task) -> R) -> Result<R> {
    // SAFETY: No requirements.
    if !unsafe { helpers::labyrinth_may_sleep() } {
        return Err(EPERM);
    }
    // SAFETY: None of the sections that labyrinth's own wrappers enter is active. They disable
    // bottom halves, interrupts or preemption, or are RCU read-side sections, and the check above
    // sees all of these. No such section that `work` enters can reach a token that allows sleeping:
    // whatever safe code it is, it captures, receives and returns only `Send` values, and a token
    // that is `NoSleep`.
    Ok(work(&mut unsafe { Task::assume() }))
}

/// Runs `work` with a proof that a hard interrupt is being served, if one is. This is for handlers
/// that the kernel calls without a token, and never in a thread.
///
/// Any context. `EPERM` outside of hard interrupts, in NMI, and in the thread of an interrupt. On
/// PREEMPT_RT the handlers of most devices are such threads: see [`with_device_irq`].
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// use labyrinth::{context::with_hard_irq, pool::{Priority, Request}};
/// use labyrinth::{ExclusivePages, GfpNoLock, Pool, Uninit};
///
/// fn page_in_any_hard_interrupt(pool: &Pool) -> Result<Option<ExclusivePages<Uninit>>> {
///     with_hard_irq(|cx| pool.get_with(cx, GfpNoLock, &mut Request::new(Priority::High)))
/// }
/// ```
pub fn with_hard_irq<R>(work: impl FnOnce(&mut HardIrq) -> R) -> Result<R> {
    // SAFETY: No requirements.
    if !unsafe { helpers::labyrinth_serves_hard_irq() } {
        return Err(EPERM);
    }
    // SAFETY: A hard interrupt is being served with interrupts disabled, as was checked, and it
    // lasts until after `work` returns. Safe code in `work` cannot enable interrupts: the guards of
    // the kernel crate restore the state before them, which is this one.
    Ok(work(&mut unsafe { HardIrq::assume() }))
}

/// Runs `work` with a proof that this is, or could be, the handler of a device's interrupt. This is
/// for the kernel crate's `irq::Handler`, which the kernel calls without a token, in a hard
/// interrupt or in a thread.
///
/// Any context. Without PREEMPT_RT this fails with `EPERM` where interrupts are enabled and in NMI.
/// On PREEMPT_RT it fails where interrupts or preemption are disabled and where bottom halves are
/// not, so also in a handler that was requested with `IRQF_NO_THREAD`: see [`with_hard_irq`]. The
/// second half of a `ThreadedHandler` is task context: see [`with_task`].
///
/// `work` is `Send`, so it can end no guard of the kernel crate that keeps interrupts disabled.
///
/// # Examples
///
/// ```
/// use kernel::{irq::{Handler, IrqReturn}, prelude::*};
/// use labyrinth::{context::with_device_irq, ExclusivePage, GfpAtomic};
///
/// struct MyHandler;
///
/// impl Handler for MyHandler {
///     fn handle(&self) -> IrqReturn {
///         match with_device_irq(|cx| ExclusivePage::alloc(cx, GfpAtomic)) {
///             Ok(Ok(_page)) => IrqReturn::Handled,
///             _ => IrqReturn::None,
///         }
///     }
/// }
/// ```
pub fn with_device_irq<R>(work: impl FnOnce(&mut DeviceIrq) -> R + Send) -> Result<R> {
    // SAFETY: No requirements.
    if !unsafe { helpers::labyrinth_serves_device_irq() } {
        return Err(EPERM);
    }
    // SAFETY: The state of interrupts and bottom halves is what the type promises, as was checked.
    // It stays so until after `work` returns: the code around `work` has disabled them, and `work`
    // captures none of its guards, because it is `Send`.
    Ok(work(&mut unsafe { DeviceIrq::assume() }))
}

impl Softirq {
    /// Asserts that a softirq is being served.
    ///
    /// # Safety
    ///
    /// A softirq must be being served on this CPU for as long as the token exists.
    pub(in crate::ffi) unsafe fn assume() -> Self {
        // INVARIANT: The caller promises exactly this.
        Self(NotThreadSafe)
    }
}

impl SpinLocked {
    /// Asserts that a spinlock is held.
    ///
    /// # Safety
    ///
    /// The current CPU must hold a `spinlock_t` for as long as the token exists.
    pub(in crate::ffi) unsafe fn assume() -> Self {
        // INVARIANT: The caller promises exactly this.
        Self(NotThreadSafe)
    }
}

impl IrqsOff {
    /// Asserts that interrupts are disabled.
    ///
    /// # Safety
    ///
    /// The interrupts of the current CPU must be disabled for as long as the token exists.
    pub(in crate::ffi) unsafe fn assume() -> Self {
        // INVARIANT: The caller promises exactly this.
        Self(NotThreadSafe)
    }
}

impl HardIrq {
    /// Asserts that a hard interrupt is being served.
    ///
    /// # Safety
    ///
    /// A hard interrupt must be being served on this CPU, with interrupts disabled, for as long as
    /// the token exists.
    pub(in crate::ffi) unsafe fn assume() -> Self {
        // INVARIANT: The caller promises exactly this.
        Self(NotThreadSafe)
    }
}

impl DeviceIrq {
    /// Asserts that an interrupt of a device is being served.
    ///
    /// # Safety
    ///
    /// For as long as the token exists the current CPU must be in the handler of an interrupt that
    /// may be threaded: with interrupts disabled, or on PREEMPT_RT with them enabled and bottom
    /// halves disabled.
    pub(in crate::ffi) unsafe fn assume() -> Self {
        // INVARIANT: The caller promises exactly this.
        Self(NotThreadSafe)
    }
}

impl<const KIND: usize> CCaller<KIND> {
    /// Asserts that C has called from a context in which pages may be freed, and allocated without
    /// sleeping.
    ///
    /// # Safety
    ///
    /// The context must be task, softirq, under a `spinlock_t`, or (not on PREEMPT_RT) with
    /// interrupts disabled or in a hard interrupt, for as long as the token exists.
    pub(in crate::ffi) unsafe fn assume() -> Self {
        // INVARIANT: The caller promises exactly this.
        Self(NotThreadSafe)
    }
}

// SAFETY: Made only by `assume`, whose callers promise the context; `NotThreadSafe` keeps the token
// from being sent or shared elsewhere.
unsafe impl Context for Task {
    const KIND: Kind = Kind::Task;
}
// SAFETY: As above.
unsafe impl Context for Softirq {
    const KIND: Kind = Kind::Softirq;
    const INTERRUPTS: bool = true;
}
// SAFETY: As above.
unsafe impl Context for SpinLocked {
    const KIND: Kind = Kind::SpinLocked;
}

// SAFETY: By its invariant `Task` stands for a context that may sleep.
unsafe impl MaySleep for Task {}

// SAFETY: As for `Task`.
unsafe impl Context for IrqsOff {
    const KIND: Kind = Kind::IrqsOff;
}
// SAFETY: As for `Task`.
unsafe impl Context for HardIrq {
    const KIND: Kind = Kind::IrqsOff;
    const INTERRUPTS: bool = true;
}

// SAFETY: As for `Task`.
unsafe impl Context for DeviceIrq {
    /// On PREEMPT_RT a softirq is such a thread, too.
    const KIND: Kind = if cfg!(CONFIG_PREEMPT_RT) {
        Kind::Softirq
    } else {
        Kind::IrqsOff
    };
}

// SAFETY: A task may take every lock, and has interrupts enabled (`IrqsOff` is the token if not).
unsafe impl PlainAlloc for Task {}
// SAFETY: As for `Task`.
unsafe impl IrqsOn for Task {}
// SAFETY: A softirq is served with interrupts enabled, and may take a `spinlock_t`, on PREEMPT_RT
// as a thread.
unsafe impl PlainAlloc for Softirq {}
// SAFETY: As above.
unsafe impl IrqsOn for Softirq {}
// SAFETY: One `spinlock_t` may be taken inside another, and `SpinLockBh` is only taken in a context
// that is `IrqsOn`, which it leaves as it is.
unsafe impl PlainAlloc for SpinLocked {}
// SAFETY: As above.
unsafe impl IrqsOn for SpinLocked {}

// SAFETY: On PREEMPT_RT the token stands for a thread with interrupts enabled, which may take a
// `spinlock_t`; without, a `spinlock_t` spins.
unsafe impl PlainAlloc for DeviceIrq {}

#[cfg(not(CONFIG_PREEMPT_RT))]
// SAFETY: Without PREEMPT_RT a `spinlock_t` spins, and the allocator takes its own with interrupts
// disabled or by trying.
unsafe impl PlainAlloc for IrqsOff {}
#[cfg(not(CONFIG_PREEMPT_RT))]
// SAFETY: As above.
unsafe impl PlainAlloc for HardIrq {}

// SAFETY: As for `Task`.
unsafe impl<const KIND: usize> Context for CCaller<KIND> {
    const KIND: Kind = Kind::ALL[KIND];
}
// SAFETY: That is what C has promised.
unsafe impl<const KIND: usize> PlainAlloc for CCaller<KIND> {}

#[cfg(labyrinth_since_7_3)]
// SAFETY: A reference to this guard of the kernel crate exists only while interrupts are disabled,
// and it cannot be sent elsewhere.
unsafe impl Context for LocalInterruptDisabled {
    const KIND: Kind = Kind::IrqsOff;
}
#[cfg(all(labyrinth_since_7_3, not(CONFIG_PREEMPT_RT)))]
// SAFETY: As for `IrqsOff`.
unsafe impl PlainAlloc for LocalInterruptDisabled {}

// SAFETY: Gives access to nothing.
unsafe impl NoSleep for NoToken {}
// SAFETY: Stands for an atomic context, so it is not `MaySleep`; it has no token in it.
unsafe impl NoSleep for Softirq {}
// SAFETY: As above.
unsafe impl NoSleep for SpinLocked {}
// SAFETY: As above.
unsafe impl NoSleep for IrqsOff {}
// SAFETY: As above.
unsafe impl NoSleep for HardIrq {}
// SAFETY: As above.
unsafe impl NoSleep for DeviceIrq {}
#[cfg(labyrinth_since_7_3)]
// SAFETY: As above.
unsafe impl NoSleep for LocalInterruptDisabled {}
// SAFETY: C says nothing of its context, so it is not `MaySleep`; it has no token in it.
unsafe impl<const KIND: usize> NoSleep for CCaller<KIND> {}

/// The modes in which an `HrTimer` of the kernel crate expires in a softirq.
pub trait SoftMode: HrTimerMode {}
impl<C: ClockSource> SoftMode for AbsoluteSoftMode<C> {}
impl<C: ClockSource> SoftMode for RelativeSoftMode<C> {}
impl<C: ClockSource> SoftMode for AbsolutePinnedSoftMode<C> {}
impl<C: ClockSource> SoftMode for RelativePinnedSoftMode<C> {}

/// The modes in which an `HrTimer` of the kernel crate expires in a hard interrupt, on PREEMPT_RT,
/// too.
pub trait HardMode: HrTimerMode {}
impl<C: ClockSource> HardMode for AbsoluteHardMode<C> {}
impl<C: ClockSource> HardMode for RelativeHardMode<C> {}
impl<C: ClockSource> HardMode for AbsolutePinnedHardMode<C> {}
impl<C: ClockSource> HardMode for RelativePinnedHardMode<C> {}

/// The modes in which an `HrTimer` of the kernel crate expires in a hard interrupt, but on
/// PREEMPT_RT in a softirq.
pub trait UnmarkedMode: HrTimerMode {}
impl<C: ClockSource> UnmarkedMode for AbsoluteMode<C> {}
impl<C: ClockSource> UnmarkedMode for RelativeMode<C> {}
impl<C: ClockSource> UnmarkedMode for AbsolutePinnedMode<C> {}
impl<C: ClockSource> UnmarkedMode for RelativePinnedMode<C> {}

/// The token in the callback of an `HrTimer` of the kernel crate that expires in a softirq.
///
/// C header: [`include/linux/hrtimer.h`](srctree/include/linux/hrtimer.h)
///
/// # Examples
///
/// ```
/// use kernel::time::hrtimer::{HasHrTimer, HrTimerCallbackContext, RelativeSoftMode};
/// use kernel::time::Monotonic;
/// use labyrinth::{context::of_soft_hrtimer, ExclusivePage, GfpAtomic};
///
/// fn expired<T: HasHrTimer<T, TimerMode = RelativeSoftMode<Monotonic>>>(
///     mut callback: HrTimerCallbackContext<'_, T>,
/// ) -> bool {
///     ExclusivePage::alloc(of_soft_hrtimer(&mut callback), GfpAtomic).is_ok()
/// }
/// ```
pub fn of_soft_hrtimer<'a, T>(_callback: &'a mut HrTimerCallbackContext<'_, T>) -> &'a mut Softirq
where
    T: HasHrTimer<T, TimerMode: SoftMode>,
{
    // SAFETY: By its invariant `_callback` exists only in the callback, so the reference does, too.
    // In these modes the callback is called in the softirq `HRTIMER_SOFTIRQ`.
    unsafe { lent() }
}

/// The token in the callback of an `HrTimer` of the kernel crate that expires in a hard interrupt.
///
/// Lockdep applies the rules of PREEMPT_RT to these callbacks: with `CONFIG_PROVE_RAW_LOCK_NESTING`
/// it reports a plain allocation in one. A [`Handler`](crate::time::Handler) can declare such
/// allocations (`TAKES_SPINLOCKS`).
///
/// C header: [`include/linux/hrtimer.h`](srctree/include/linux/hrtimer.h)
pub fn of_hard_hrtimer<'a, T>(_callback: &'a mut HrTimerCallbackContext<'_, T>) -> &'a mut HardIrq
where
    T: HasHrTimer<T, TimerMode: HardMode>,
{
    // SAFETY: As above, but in these modes the callback is called in a hard interrupt, with
    // interrupts disabled.
    unsafe { lent() }
}

/// The token in the callback of an `HrTimer` of the kernel crate whose mode says neither "soft" nor
/// "hard".
///
/// C header: [`include/linux/hrtimer.h`](srctree/include/linux/hrtimer.h)
///
/// # Examples
///
/// ```
/// use kernel::time::hrtimer::{HasHrTimer, HrTimerCallbackContext, RelativeMode};
/// use kernel::time::Monotonic;
/// use labyrinth::{context::of_hrtimer, ExclusivePage, GfpAtomic};
///
/// fn expired<T: HasHrTimer<T, TimerMode = RelativeMode<Monotonic>>>(
///     mut callback: HrTimerCallbackContext<'_, T>,
/// ) -> bool {
///     ExclusivePage::alloc(of_hrtimer(&mut callback), GfpAtomic).is_ok()
/// }
/// ```
pub fn of_hrtimer<'a, T>(_callback: &'a mut HrTimerCallbackContext<'_, T>) -> &'a mut DeviceIrq
where
    T: HasHrTimer<T, TimerMode: UnmarkedMode>,
{
    // SAFETY: As above, but in these modes the callback is called in a hard interrupt, with
    // interrupts disabled, and on PREEMPT_RT in the thread of a softirq, with interrupts enabled.
    unsafe { lent() }
}

/// Makes a token that exists for as long as the value that proves its context is borrowed.
///
/// # Safety
///
/// The context must be the one that `C` stands for, for as long as the reference exists.
unsafe fn lent<'a, C: Context>() -> &'a mut C {
    const { assert!(size_of::<C>() == 0) };
    // SAFETY: A value without a size is at any address that is not null and aligned. The caller
    // vouches for what the type stands for.
    unsafe { NonNull::dangling().as_mut() }
}
