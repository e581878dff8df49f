// SPDX-License-Identifier: GPL-2.0

//! The interface for C modules, `include/labyrinth.h`.
//!
//! This file converts the arguments from C to types, and passes them to a [`Service`], which is
//! safe code. The crate root names the service once, in `export_to_c!`. So this file does not
//! depend on the modules above it, and there is no indirect call.
//!
//! ```text
//!   C module ─► exports.c ─► functions made by export_to_c! ─► functions here ─► Service
//! ```
//!
//! # When C may call
//!
//! A module that uses these functions is linked to labyrinth. The module loader loads it only after
//! labyrinth's initialisation has succeeded, and keeps labyrinth loaded while the module is there.
//! At unload the [`Service`] must find the pages that such a module forgot to give back.

use super::{
    context::{
        with_task,
        CCaller,
        Kind,
        NoSleep,
        PlainAlloc,
        Task, //
    },
    helpers,
    sync::handles::Handle, //
};
use core::ptr::{
    self,
    NonNull, //
};
use kernel::{
    fmt::{
        self,
        Write as _, //
    },
    prelude::*, //
};

/// The instruction that a call came from, for reports.
#[derive(Clone, Copy)]
pub(crate) struct Caller(usize);

/// The address of pages that are about to be lent to C, or given to it for good.
///
/// # Invariants
///
/// The owner of the value owns pages that begin at the address.
pub(crate) struct Foreign(NonNull<c_void>);

// SAFETY: The pages have no other owner, and are not tied to a thread or CPU.
unsafe impl Send for Foreign {}

impl Foreign {
    /// Makes the value of an address.
    ///
    /// # Safety
    ///
    /// Pages in the linear mapping that have no other owner must begin at `address`.
    #[inline]
    pub(crate) unsafe fn new(address: NonNull<c_void>) -> Self {
        // INVARIANT: The caller promises exactly this.
        Self(address)
    }

    #[inline]
    fn into_address(self) -> *mut c_void {
        self.0.as_ptr()
    }
}

/// An address that C has returned. It may be anything.
///
/// # Invariants
///
/// If pages that are lent to C begin at the address, now or while the value exists, C does not use
/// them any more. The value is gone when the pages are taken over.
pub(crate) struct FromC(*mut c_void);

// SAFETY: If there are pages, C has returned them, and any thread may take them.
unsafe impl Send for FromC {}
// SAFETY: A shared reference gives access to the address only.
unsafe impl Sync for FromC {}

impl FromC {
    /// Returns the address.
    #[inline]
    pub(crate) fn address(&self) -> *const c_void {
        self.0
    }
}

/// The parameters of a new pool from C. They are not checked yet.
pub(crate) struct Parameters<'a> {
    /// The name, if C passed one.
    pub name: Option<&'a CStr>,
    /// The order of a block.
    pub order: u32,
    /// Whether a block is a compound page.
    pub compound: bool,
    /// The number of blocks that each CPU may keep.
    pub cache: u32,
    /// The number of blocks in the reserve.
    pub reserve: u32,
    /// The number of blocks that may come from the kernel's emergency reserve, as in `PoolConfig`.
    pub emergency: u32,
    /// The highest physical address that the device can use, or 0 for no limit.
    pub highest: u64,
    /// The bounds of a reserve that sizes itself.
    pub auto_reserve: Option<AutoParameters>,
}

/// The parameters of a reserve that sizes itself, from C. They are not checked yet.
pub(crate) struct AutoParameters {
    /// The most blocks in the reserve.
    pub max: u32,
    /// The time of calm that halves it, in milliseconds, or 0 for the usual one.
    pub half_life_ms: u32,
}

/// An array in C that receives the addresses of blocks.
///
/// # Invariants
///
/// `blocks` is valid for writes of `length` addresses, and no other code writes there, for as long
/// as the value exists. The first `filled` are written.
struct Blocks {
    blocks: *mut *mut c_void,
    length: u32,
    filled: u32,
}

// SAFETY: The array is memory that is not tied to a thread, and no other code writes there.
unsafe impl Send for Blocks {}

impl Blocks {
    /// Stores a block for C.
    fn push(&mut self, block: Foreign) {
        // A block beyond the requested number would be lost, which is better than a write beyond
        // the end.
        if self.filled < self.length {
            // SAFETY: Within the array, by the invariant and the condition.
            unsafe {
                self.blocks
                    .add(self.filled as usize)
                    .write(block.into_address())
            };
            self.filled += 1;
        }
    }
}

/// The pool that C passed: a handle that may be stale or made up, or `None` for NULL.
pub(crate) type Pool = Option<Handle>;

/// The implementation of the interface for C modules.
///
/// A pool that does not exist, or an address that is not out, is misuse. The service must report it
/// and otherwise ignore it.
pub(crate) trait Service {
    /// Returns the pool that callers without a pool of their own share.
    fn default_pool() -> Pool;

    /// Makes a pool.
    fn create(cx: &Task, parameters: &Parameters<'_>) -> Result<Handle>;

    /// Destroys a pool.
    fn destroy(cx: &Task, pool: Pool, caller: Caller);

    /// Fills a pool: each CPU's cache up to `per_cpu` blocks, and the reserve.
    fn prime(cx: &Task, pool: Pool, per_cpu: usize, caller: Caller) -> Result;

    /// Allocates a block for C.
    fn alloc<C: PlainAlloc + NoSleep>(cx: &C, pool: Pool, caller: Caller) -> Option<Foreign>;

    /// Passes up to `wanted` blocks for C to `sink`, and returns how many.
    fn alloc_bulk<C: PlainAlloc + NoSleep>(
        cx: &C,
        pool: Pool,
        wanted: usize,
        caller: Caller,
        sink: impl FnMut(Foreign) + Send,
    ) -> usize;

    /// Takes a block back. Returns whether it did.
    fn free<C: PlainAlloc + NoSleep>(cx: &C, pool: Pool, block: FromC, caller: Caller) -> bool;

    /// Gives a block that is out to C for good.
    fn detach(pool: Pool, block: FromC, caller: Caller) -> Option<Foreign>;

    /// Reports that C has passed NULL where an array should be.
    fn no_array(caller: Caller);

    /// Reports that C has called `function`, which sleeps, in a context that may not sleep.
    /// `context` describes that context.
    fn may_not_sleep(function: &CStr, context: &CStr, caller: Caller);
}

/// Reports misuse in the kernel log: the first 200 bytes of `what`, the address if there is one,
/// and the caller. Any context.
pub(crate) fn report_misuse(
    what: fmt::Arguments<'_>,
    address: Option<*const c_void>,
    caller: Caller,
) {
    let mut text = Text {
        bytes: [0; 200],
        length: 0,
    };
    // Writing to a `Text` never fails.
    let _ = text.write_fmt(what);

    // SAFETY: The function reads that many bytes of text; it only prints the other arguments.
    unsafe {
        helpers::labyrinth_report_misuse(
            text.bytes.as_ptr(),
            text.length as c_int,
            address.unwrap_or(ptr::null()),
            caller.0,
        )
    };
}

/// A text that is cut off at the end of its buffer.
struct Text {
    bytes: [u8; 200],
    length: usize,
}

impl fmt::Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let space = &mut self.bytes[self.length..];
        let length = space.len().min(more.len());
        space[..length].copy_from_slice(&more.as_bytes()[..length]);
        self.length += length;
        Ok(())
    }
}

/// Calls a function of a [`Service`] with a token for the context that `exports.c` has seen.
///
/// # Safety
///
/// The context must be one for `CCaller`.
macro_rules! as_seen {
    ($context:ident, |$cx:ident| $call:expr) => {{
        macro_rules! as_kind {
            ($kind:expr) => {{
                // SAFETY: By the requirement above.
                let $cx = &unsafe { CCaller::<{ $kind as usize }>::assume() };
                $call
            }};
        }
        match Kind::ALL.get($context as usize) {
            None | Some(Kind::Task) => as_kind!(Kind::Task),
            Some(Kind::Softirq) => as_kind!(Kind::Softirq),
            Some(Kind::SpinLocked) => as_kind!(Kind::SpinLocked),
            Some(Kind::IrqsOff) => as_kind!(Kind::IrqsOff),
        }
    }};
}

/// Calls a function of a [`Service`] that sleeps. In a context that may not sleep, this reports the
/// call instead.
fn sleeping<S: Service, R>(
    function: &CStr,
    caller: Caller,
    call: impl FnOnce(&Task) -> Result<R> + Send,
) -> Result<R> {
    let outcome = with_task(|cx| call(cx));
    match outcome {
        Ok(result) => result,
        Err(error) => {
            // SAFETY: No requirements.
            let context = unsafe { helpers::labyrinth_no_sleep() };
            let context = if context.is_null() {
                c"in such a context"
            } else {
                // SAFETY: A string literal, by its definition.
                unsafe { CStr::from_char_ptr(context) }
            };
            S::may_not_sleep(function, context, caller);
            Err(error)
        }
    }
}

/// # Safety
///
/// `name` must be null or NUL-terminated.
#[expect(
    clippy::too_many_arguments,
    reason = "those of the function in C, and its caller"
)]
pub(crate) unsafe fn create<S: Service>(
    name: *const c_char,
    order: u32,
    compound: bool,
    cache: u32,
    reserve: u32,
    emergency: u32,
    highest: u64,
    automatic: bool,
    reserve_max: u32,
    half_life_ms: u32,
    caller: usize,
) -> c_long {
    let name = if name.is_null() {
        None
    } else {
        // SAFETY: By the requirement above; C keeps the name during the call.
        Some(unsafe { CStr::from_char_ptr(name) })
    };
    let parameters = Parameters {
        name,
        order,
        compound,
        cache,
        reserve,
        emergency,
        highest,
        auto_reserve: automatic.then_some(AutoParameters {
            max: reserve_max,
            half_life_ms,
        }),
    };
    let function = if automatic {
        c"labyrinth_pool_create_auto"
    } else {
        c"labyrinth_pool_create"
    };

    let created = sleeping::<S, _>(function, Caller(caller), |cx| S::create(cx, &parameters));
    match created {
        Ok(handle) => handle.raw() as c_long,
        Err(error) => error.to_errno() as c_long,
    }
}

/// # Safety
///
/// None. It is unsafe because every function that `export_to_c!` calls is unsafe.
pub(crate) unsafe fn destroy<S: Service>(pool: usize, caller: usize) {
    let (pool, caller) = (Handle::from_raw(pool), Caller(caller));
    // A call that was refused was already reported.
    let _ = sleeping::<S, _>(c"labyrinth_pool_destroy", caller, |cx| {
        S::destroy(cx, pool, caller);
        Ok(())
    });
}

/// # Safety
///
/// As for `destroy`.
pub(crate) unsafe fn prime<S: Service>(pool: usize, per_cpu: u32, caller: usize) -> c_int {
    let (pool, caller) = (Handle::from_raw(pool), Caller(caller));
    sleeping::<S, _>(c"labyrinth_pool_prime", caller, |cx| {
        S::prime(cx, pool, per_cpu as usize, caller)
    })
    .map_or_else(|error| error.to_errno(), |()| 0)
}

/// # Safety
///
/// The context must be one for `CCaller`.
#[inline]
pub(crate) unsafe fn alloc_default<S: Service>(context: u32, caller: usize) -> *mut c_void {
    // SAFETY: By the requirement above.
    unsafe { alloc_from::<S>(S::default_pool(), context, caller) }
}

/// # Safety
///
/// As for `free`.
#[inline]
pub(crate) unsafe fn free_default<S: Service>(block: *mut c_void, context: u32, caller: usize) {
    // SAFETY: By the requirements above.
    unsafe { free_to::<S>(S::default_pool(), block, context, caller) };
}

/// # Safety
///
/// The context must be one for `CCaller`.
#[inline]
pub(crate) unsafe fn alloc<S: Service>(pool: usize, context: u32, caller: usize) -> *mut c_void {
    // SAFETY: By the requirement above.
    unsafe { alloc_from::<S>(Handle::from_raw(pool), context, caller) }
}

/// # Safety
///
/// The context must be one for `CCaller`. If pages that are lent to C begin at `block`, now or
/// until this returns, no code uses them any more.
#[inline]
pub(crate) unsafe fn free<S: Service>(
    pool: usize,
    block: *mut c_void,
    context: u32,
    caller: usize,
) {
    // SAFETY: By the requirements above.
    unsafe { free_to::<S>(Handle::from_raw(pool), block, context, caller) };
}

/// # Safety
///
/// If pages that are lent to C begin at `block`, now or until this returns, the caller owns them.
pub(crate) unsafe fn detach<S: Service>(
    pool: usize,
    block: *mut c_void,
    caller: usize,
) -> *mut c_void {
    // INVARIANT: By the requirement above. C uses the pages again when they are given to it.
    let block = FromC(block);
    S::detach(Handle::from_raw(pool), block, Caller(caller))
        .map_or(ptr::null_mut(), Foreign::into_address)
}

/// # Safety
///
/// The context must be one for `CCaller`; `blocks` must be null or valid for writes of `wanted`
/// addresses.
pub(crate) unsafe fn alloc_bulk<S: Service>(
    pool: usize,
    wanted: u32,
    blocks: *mut *mut c_void,
    context: u32,
    caller: usize,
) -> u32 {
    let caller = Caller(caller);
    if blocks.is_null() && wanted != 0 {
        S::no_array(caller);
        return 0;
    }
    let pool = Handle::from_raw(pool);
    // INVARIANT: By the requirement above; nothing is written yet.
    let mut blocks = Blocks {
        blocks,
        length: wanted,
        filled: 0,
    };
    let mut fill = |block| blocks.push(block);

    as_seen!(context, |cx| S::alloc_bulk(
        cx,
        pool,
        wanted as usize,
        caller,
        &mut fill
    ));
    blocks.filled
}

/// # Safety
///
/// The context must be one for `CCaller`; `blocks` must be null or valid for reads of `count`
/// addresses, for each of which the requirement of `free` holds.
pub(crate) unsafe fn free_bulk<S: Service>(
    pool: usize,
    count: u32,
    blocks: *const *mut c_void,
    context: u32,
    caller: usize,
) -> u32 {
    if blocks.is_null() && count != 0 {
        S::no_array(Caller(caller));
        return 0;
    }
    let mut taken = 0;

    for i in 0..count as usize {
        // SAFETY: Within the array, by the requirement above.
        let block = unsafe { blocks.add(i).read() };
        // SAFETY: By the requirements above.
        let back = unsafe { free_to::<S>(Handle::from_raw(pool), block, context, caller) };
        taken += u32::from(back);
    }
    taken
}

/// # Safety
///
/// The context must be one for `CCaller`.
#[inline]
unsafe fn alloc_from<S: Service>(pool: Pool, context: u32, caller: usize) -> *mut c_void {
    as_seen!(context, |cx| S::alloc(cx, pool, Caller(caller)))
        .map_or(ptr::null_mut(), Foreign::into_address)
}

/// # Safety
///
/// As for `free`.
#[inline]
unsafe fn free_to<S: Service>(pool: Pool, block: *mut c_void, context: u32, caller: usize) -> bool {
    // INVARIANT: By the requirement above.
    let block = FromC(block);
    as_seen!(context, |cx| S::free(cx, pool, block, Caller(caller)))
}

/// Makes the functions that `exports.c` calls, for a [`Service`].
/// Each function is compared with its declaration in `exports.h`, because the branches of an `if`
/// must have the same type.
macro_rules! export_to_c {
    ($service:ty) => {
        $crate::ffi::exports::export_to_c! {
            @functions $service,
            labyrinth_export_create = create(
                name: *const c_char, order: u32, compound: bool, cache: u32, reserve: u32, emergency: u32,
                highest: u64, automatic: bool, reserve_max: u32, half_life_ms: u32, caller: usize
            ) -> c_long,
            labyrinth_export_destroy = destroy(pool: usize, caller: usize) -> (),
            labyrinth_export_prime = prime(pool: usize, per_cpu: u32, caller: usize) -> c_int,
            labyrinth_export_alloc_default = alloc_default(context: u32, caller: usize) -> *mut c_void,
            labyrinth_export_free_default =
                free_default(block: *mut c_void, context: u32, caller: usize) -> (),
            labyrinth_export_alloc = alloc(pool: usize, context: u32, caller: usize) -> *mut c_void,
            labyrinth_export_free =
                free(pool: usize, block: *mut c_void, context: u32, caller: usize) -> (),
            labyrinth_export_detach =
                detach(pool: usize, block: *mut c_void, caller: usize) -> *mut c_void,
            labyrinth_export_alloc_bulk = alloc_bulk(
                pool: usize, wanted: u32, blocks: *mut *mut c_void, context: u32, caller: usize
            ) -> u32,
            labyrinth_export_free_bulk = free_bulk(
                pool: usize, count: u32, blocks: *const *mut c_void, context: u32, caller: usize
            ) -> u32,
        }
    };
    (@functions $service:ty, $(
        $symbol:ident = $function:ident($($argument:ident: $type:ty),*) -> $result:ty,
    )*) => {
        const _: () = {
            use kernel::prelude::*;

            $(
                /// # Safety
                ///
                /// Only `exports.c` may call this. Its callers promise what the function requires.
                #[no_mangle]
                unsafe extern "C" fn $symbol($($argument: $type),*) -> $result {
                    // SAFETY: By the requirement above.
                    unsafe { $crate::ffi::exports::$function::<$service>($($argument),*) }
                }

                const _: () = {
                    if true {
                        $crate::ffi::helpers::$symbol
                    } else {
                        $symbol
                    };
                };
            )*
        };
    };
}
pub(crate) use export_to_c;
