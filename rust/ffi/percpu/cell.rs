// SPDX-License-Identifier: GPL-2.0

//! Per-CPU values with exclusive access, without disabling preemption or interrupts.
//!
//! # Vocabulary
//!
//! - A *body* is one CPU's copy. It has a private part that only its holder may touch, and a shared
//!   part that any code may read.
//! - The *token* of a body is a per-CPU word. It has the body's address while the body is free, and
//!   0 while the body is held.
//!
//! # Protocol
//!
//! ```text
//!          take: exchange with 0, atomic among all CPUs
//!   free ──────────────────────────────────────────────────────► held
//!   token = address of the body                                   token = 0
//!        ◄──────────────────────────────────────────────────────
//!          give back: store with release order, to the token's own address, from any CPU
//! ```
//!
//! Taking moves the address out of the word, so of several takers only one gets it. A task that is
//! moved to another CPU between taking and giving back still has the address of the body that it
//! took, and gives back that body.
//!
//! As a rule a CPU takes its own token ([`CpuCell::with`]). Operations that need not be fast may
//! take the token of any CPU ([`CpuCell::with_of`]), also that of a CPU that is offline or too busy
//! to run anything else.
//!
//! Even without [`CpuCell::with_of`], the exchange would have to be atomic among all CPUs, because
//! a token can be given back from any CPU. An x86 `cmpxchg` without lock prefix, as in
//! `this_cpu_cmpxchg()`, also writes the word when the comparison fails: it writes back the 0 that
//! it has read. That would overwrite a token that another CPU has just given back, and the body
//! would be lost. `tests/host/src/cell` explores all interleavings.
//!
//! A taker that finds 0 does not wait but returns `None`. Either it interrupted a holder on its own
//! CPU, or the holder was preempted, or is on another CPU. So the access works in every context,
//! NMI and PREEMPT_RT included, and cannot deadlock.
//!
//! On x86 the exchange is an `xchg` relative to the segment of the per-CPU area. Elsewhere it is an
//! `xchg()` in a C helper.
//!
//! C header: [`include/linux/percpu-defs.h`](srctree/include/linux/percpu-defs.h)

use crate::ffi::{
    arch,
    cpu::online,
    helpers, //
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// The copy of one CPU.
#[repr(C)]
pub(super) struct Body<T, S> {
    /// The first field, so that the address of the per-CPU allocation is that of the token.
    token: UnsafeCell<*mut Body<T, S>>,
    private: UnsafeCell<T>,
    pub(super) shared: S,
}

/// The largest size of a per-CPU allocation: `PCPU_MIN_UNIT_SIZE`.
const MAX_SIZE: usize = 32 << 10;

/// One `T` for each possible CPU, with exclusive access, beside an `S` that all code may read.
///
/// # Invariants
///
/// - `base` is a live per-CPU allocation of a `Body` for each possible CPU, initialised and ours,
///   with the space behind it that `with_space_behind` was asked for.
/// - The token of a body is the body's address, or 0 while exactly one holder has the address.
/// - Tokens are taken only by an exchange that is atomic among all CPUs.
pub struct CpuCell<T, S> {
    base: NonNull<c_void>,
    _bodies: PhantomData<Body<T, S>>,
}

// SAFETY: The bodies are memory that is not tied to a thread; `T` and `S` may be dropped elsewhere.
unsafe impl<T: Send, S: Send> Send for CpuCell<T, S> {}
// SAFETY: `&CpuCell` gives out `&mut T` to one holder at a time, in any thread (`T: Send`), and
// `&S` to all (`S: Sync`).
unsafe impl<T: Send, S: Sync> Sync for CpuCell<T, S> {}

impl<T, S> CpuCell<T, S> {
    /// Allocates and initialises a body for each possible CPU. Task context only, may sleep.
    pub fn new(init: impl FnMut() -> Result<(T, S), AllocError>) -> Result<Self, AllocError> {
        Self::with_space_behind(0, init)
    }

    /// Like [`Self::new`], with `space` bytes right behind each body, which are not initialised.
    pub(super) fn with_space_behind(
        space: usize,
        mut init: impl FnMut() -> Result<(T, S), AllocError>,
    ) -> Result<Self, AllocError> {
        const {
            assert!(
                size_of::<Body<T, S>>() <= MAX_SIZE,
                "too large for per-CPU memory"
            );
        };
        // The allocator would warn.
        if space > const { MAX_SIZE - size_of::<Body<T, S>>() } {
            return Err(AllocError);
        }
        let size = size_of::<Body<T, S>>() + space;

        // SAFETY: Task context; the alignment is that of a type.
        let base = unsafe { helpers::labyrinth_percpu_alloc(size, align_of::<Body<T, S>>()) };
        let base = NonNull::new(base).ok_or(AllocError)?;

        for (done, cpu) in online::possible().enumerate() {
            let body = Self::body_of(base, cpu);
            match init() {
                // SAFETY: The memory is ours, large and aligned enough; no other code knows it.
                Ok((private, shared)) => unsafe {
                    body.as_ptr().write(Body {
                        token: UnsafeCell::new(body.as_ptr()),
                        private: UnsafeCell::new(private),
                        shared,
                    });
                },
                Err(error) => {
                    for cpu in online::possible().take(done) {
                        // SAFETY: This body was initialised, and is not used again.
                        unsafe { Self::body_of(base, cpu).drop_in_place() };
                    }
                    // SAFETY: The allocation is ours and no reference to it exists.
                    unsafe { helpers::labyrinth_percpu_free(base.as_ptr()) };
                    return Err(error);
                }
            }
        }
        // INVARIANT: All bodies are initialised, with their own addresses as tokens.
        Ok(Self {
            base,
            _bodies: PhantomData,
        })
    }

    /// Runs `access` with this CPU's body. Returns `None` if the body is held, see the module.
    ///
    /// Any context. `access` should be short: until it returns, other code on the same CPU gets
    /// `None`.
    #[inline(always)]
    pub fn with<R>(&self, access: impl FnOnce(&mut T, &S) -> R) -> Option<R> {
        self.with_body(|body| {
            // SAFETY: The body is initialised, and lives as long as `self`.
            let body = unsafe { body.as_ref() };
            // SAFETY: The body is held, so by the invariant no other code has access until it is
            // given back.
            access(unsafe { &mut *body.private.get() }, &body.shared)
        })
    }

    /// Like [`Self::with`], with the address of the body.
    #[inline(always)]
    pub(super) fn with_body<R>(&self, access: impl FnOnce(NonNull<Body<T, S>>) -> R) -> Option<R> {
        // SAFETY: By the invariant `base` is a per-CPU allocation that begins with a token.
        let token = unsafe { arch::token::take(self.base) }?;

        let result = access(token.cast());

        // INVARIANT: The token becomes the body's address again, and our access has ended.
        // SAFETY: The token was the address of its body, which begins with the token's word.
        unsafe { arch::token::give_back(token.as_ptr(), token) };
        Some(result)
    }

    /// Returns the shared parts, by CPU number. Any context.
    pub fn shared(&self) -> impl Iterator<Item = (u32, &S)> {
        online::possible().map(|cpu| {
            // SAFETY: By the invariant the body is initialised; only shared references to the
            // shared part exist.
            (cpu, unsafe {
                &(*Self::body_of(self.base, cpu).as_ptr()).shared
            })
        })
    }

    /// The shared part of a CPU; `None` if there can be no such CPU. Any context.
    pub(crate) fn shared_of(&self, cpu: u32) -> Option<&S> {
        // SAFETY: As in `shared`.
        online::is_possible(cpu).then(|| unsafe { &Self::body_of(self.base, cpu).as_ref().shared })
    }

    /// Runs `access` with the body of any CPU, online or not. Returns `None` if the body is held,
    /// or if there can be no such CPU.
    ///
    /// Any context. `access` runs with preemption disabled, so it must not sleep, and on PREEMPT_RT
    /// it must not take a `spinlock_t`. Until it returns, that CPU gets `None`. Everything that
    /// `access` can reach is `Send`: its captures, both parts of the body, and its result. Tokens
    /// are not: a token of the outer context would not be true here. ([`Self::with`] does not
    /// change the context, so tokens stay true there.)
    pub fn with_of<R: Send>(
        &self,
        cpu: u32,
        access: impl FnOnce(&mut T, &S) -> R + Send,
    ) -> Option<R>
    where
        T: Send,
        S: Sync,
    {
        self.with_body_of(cpu, |body| {
            // SAFETY: As in `with`.
            let body = unsafe { body.as_ref() };
            // SAFETY: As in `with`.
            access(unsafe { &mut *body.private.get() }, &body.shared)
        })
    }

    /// Like [`Self::with_of`], with the address of the body.
    pub(super) fn with_body_of<R: Send>(
        &self,
        cpu: u32,
        access: impl FnOnce(NonNull<Body<T, S>>) -> R,
    ) -> Option<R>
    where
        T: Send,
        S: Sync,
    {
        if !online::is_possible(cpu) {
            return None;
        }
        let word = Self::body_of(self.base, cpu).as_ptr().cast();
        // SAFETY: The body begins with the word of its token, which is given back below.
        let token = NonNull::new(unsafe { helpers::labyrinth_token_take_of(word) })?;

        let result = access(token.cast());

        // INVARIANT: As in `with_body`.
        // SAFETY: As in `with_body`; the token was taken by the function that belongs to this one.
        unsafe { helpers::labyrinth_token_give_back_of(word, token.as_ptr()) };
        Some(result)
    }

    fn body_of(base: NonNull<c_void>, cpu: u32) -> NonNull<Body<T, S>> {
        // SAFETY: `base` is a live per-CPU allocation and `cpu` is a possible CPU.
        let body = unsafe { helpers::labyrinth_percpu_of(base.as_ptr(), cpu) };
        // SAFETY: The copies of a live allocation are not at null.
        unsafe { NonNull::new_unchecked(body.cast()) }
    }
}

impl<T, S> Drop for CpuCell<T, S> {
    /// Task and softirq context.
    fn drop(&mut self) {
        for cpu in online::possible() {
            // SAFETY: All bodies are initialised; a holder would borrow `self`, so there is none.
            unsafe { Self::body_of(self.base, cpu).drop_in_place() };
        }
        // SAFETY: By the invariant the allocation is ours, and no reference exists any more.
        unsafe { helpers::labyrinth_percpu_free(self.base.as_ptr()) };
    }
}
