// SPDX-License-Identifier: GPL-2.0

//! [`AttributedPages`]: pages that the CPU accesses without its cache.
//!
//! ```text
//!   KVec of ExclusivePages ── set(cx, blocks) sleeps ────► KVec of AttributedPages
//!            ▲             ◄─ reset(cx, blocks) sleeps ──   │
//!            │                                              │ drop, any context but NMI
//!        allocator ◄── a work of the kernel: write-back ◄───┘
//! ```
//!
//! # Where the attribute is
//!
//! On x86 the linear mapping of the pages has it, which is the only mapping of exclusive pages. To
//! change it, the kernel splits large pages of the linear mapping for good, and interrupts all CPUs
//! so that they flush their TLBs. So change as many blocks as possible at once.
//!
//! Other architectures do not let modules change the linear mapping. There a second mapping has the
//! attribute, and the pages are accessed through it alone. This needs `CONFIG_ARCH_HAS_PMEM_API`,
//! as there is no other way for a module to flush a cache.
//!
//! # No page is freed with its attribute
//!
//! - If pages cannot be changed, those that were changed are changed back before the error returns.
//! - If pages cannot be changed back, they keep their attribute, and the error has them.
//! - Pages that are dropped are changed back by a work of the kernel, since the code that drops
//!   them may not sleep. They are free only after that.
//! - If the kernel cannot change pages back in one of the other cases, they are lost: they stay
//!   allocated until the machine restarts ([`Transfer::Lose`]).
//! - Pages that are leaked (`mem::forget`) are never freed.
//!
//! # Why there is no reference to the contents
//!
//! Locks and atomics order accesses to write-back memory. On x86 they do not order accesses to
//! write-combined memory: bytes that one CPU has written may reach the memory after another CPU has
//! received the value and reads them. So [`AttributedPages::read`] and [`AttributedPages::write`]
//! lend the contents to a closure, and have a full barrier around it.
//!
//! C header: [`arch/x86/include/asm/set_memory.h`](srctree/arch/x86/include/asm/set_memory.h)

use crate::{
    ffi::{
        context::MaySleep,
        helpers, //
    },
    page::{
        transfer::Transfer,
        Bytes,
        ExclusivePages, //
    }, //
};
use core::{
    marker::PhantomData,
    mem::{
        self,
        ManuallyDrop, //
    },
    ptr::{
        self,
        NonNull, //
    },
    slice, //
};
use kernel::{
    bindings,
    error::to_result,
    prelude::*, //
};

mod sealed {
    use super::Transfer;

    #[allow(unnameable_types, reason = "sealed")]
    pub trait Sealed {
        /// The number of the attribute.
        const RAW: u32;

        /// The transfer of pages that get the attribute.
        const SET: Transfer;
    }
}

/// A cache attribute other than write-back, which all other pages have.
pub trait CacheAttribute: sealed::Sealed + Send + Sync + 'static {}

/// Uncached: each access reaches the memory by itself.
#[derive(Clone, Copy)]
pub struct Uncached;

/// Write-combined: reads are not cached, and writes are collected until they fill a line or until a
/// barrier. A CPU that cannot do that takes the pages as uncached.
#[derive(Clone, Copy)]
pub struct WriteCombined;

impl sealed::Sealed for Uncached {
    const RAW: u32 = helpers::LABYRINTH_UNCACHED;
    const SET: Transfer = Transfer::SetUncached;
}
impl sealed::Sealed for WriteCombined {
    const RAW: u32 = helpers::LABYRINTH_WRITE_COMBINED;
    const SET: Transfer = Transfer::SetWriteCombined;
}

impl CacheAttribute for Uncached {}
impl CacheAttribute for WriteCombined {}

/// Blocks of exclusive pages.
pub(crate) type Blocks = KVec<ExclusivePages<Bytes>>;

/// A block of pages with the cache attribute `A`, for a device that reads and writes memory without
/// looking into the caches of the CPUs.
///
/// Changing the attribute keeps the contents. It is dear: see [`Self::set`].
///
/// Contexts: [`Self::set`] and [`Self::reset`] sleep, and require a context that may. Access in all
/// contexts. Dropping in any context but NMI: the kernel frees the pages later, in a thread of its
/// own. When labyrinth is unloaded, it waits for that.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// # use labyrinth::{context::Task, AttributedPages, ExclusivePages, GfpKernel, Place};
/// # use labyrinth::WriteCombined;
/// # fn example(cx: &Task) -> Result {
/// let mut blocks = KVec::new();
/// for _ in 0..64 {
///     let block = ExclusivePages::alloc(cx, GfpKernel, 0, Place::Any)?.zeroed();
///     blocks.push(block, GFP_KERNEL)?;
/// }
/// let mut blocks = AttributedPages::<WriteCombined>::set(cx, blocks).map_err(|(error, _)| error)?;
/// // After this, the device sees these bytes.
/// blocks[0].write(|pages| pages[0].fill(0x42));
/// let blocks = AttributedPages::reset(cx, blocks).map_err(|(error, _)| error)?;
/// assert_eq!(blocks[0][0][0], 0x42);
/// # Ok(())
/// # }
/// ```
///
/// # Invariants
///
/// - `pages` is a valid block of pages, owned by this value. `labyrinth_attribute_set()` has given
///   the attribute `A` to it, and `labyrinth_attribute_reset()` has not made it write-back since.
/// - `labyrinth_attribute_mapping()` of the block returns the address of 2^order pages in a row.
///   The contents are accessed at this address only.
pub struct AttributedPages<A: CacheAttribute> {
    pages: ManuallyDrop<ExclusivePages<Bytes>>,
    _attribute: PhantomData<A>,
}

impl<A: CacheAttribute> AttributedPages<A> {
    /// Gives the attribute to all pages of some blocks. Sleeps.
    ///
    /// On x86 this interrupts all CPUs, flushes the pages from their caches, and may split large
    /// pages of the linear mapping, so one call for many blocks is much cheaper than many calls.
    ///
    /// Fails with `EINVAL` if there are no blocks or too many, with `ENOMEM` if memory is short,
    /// with `EOPNOTSUPP` on a machine where modules cannot do this, and with other errors if the
    /// kernel refuses. The error has the unchanged blocks; if the kernel cannot undo what it has
    /// done, it has none, and they are lost.
    pub fn set<C: MaySleep>(_cx: &C, blocks: Blocks) -> Result<KVec<Self>, (Error, Blocks)> {
        let begun = A::SET.begin();
        let result = Self::change(blocks);
        begun.done(result.is_ok());
        result
    }

    fn change(mut blocks: Blocks) -> Result<KVec<Self>, (Error, Blocks)> {
        let (mut table, mut attributed) = match Self::make_room(&blocks) {
            Ok(room) => room,
            Err(error) => return Err((error, blocks)),
        };
        let mut lost = false;

        for block in &blocks {
            // SAFETY: An allocated page, whose word is its owner's.
            unsafe { helpers::labyrinth_page_set_link(block.page(), block.order() as usize) };
        }
        // SAFETY: A context that may sleep. The table has all pages of blocks that are ours alone,
        // and no reference to their contents exists. The function does not keep the table.
        let error = unsafe {
            helpers::labyrinth_attribute_set(
                table.as_mut_ptr().cast(),
                // CAST: `make_table` has checked that.
                table.len() as c_int,
                A::RAW,
                &mut lost,
            )
        };
        if let Err(error) = to_result(error) {
            if lost {
                // Whoever got these pages next would get the attribute, too.
                blocks.drain_all().for_each(mem::forget);
            }
            return Err((error, blocks));
        }
        for pages in blocks {
            // INVARIANT: The block has just got this attribute, and its mapping.
            let block = Self {
                pages: ManuallyDrop::new(pages),
                _attribute: PhantomData,
            };
            // There is room for all blocks. A block that had none would be dropped.
            let _ = attributed.push_within_capacity(block);
        }
        Ok(attributed)
    }

    /// Makes all that a change needs memory for.
    fn make_room(blocks: &Blocks) -> Result<(Table, KVec<Self>)> {
        Ok((
            make_table(blocks.iter())?,
            KVec::with_capacity(blocks.len(), GFP_KERNEL)?,
        ))
    }

    /// Makes all pages of some blocks write-back again, and returns them in the same order. Sleeps.
    ///
    /// Fails with `EINVAL` if there are no blocks or too many, with `ENOMEM` if memory is short,
    /// and with other errors if the kernel refuses. The error has the blocks, which keep their
    /// attribute.
    pub fn reset<C: MaySleep>(_cx: &C, blocks: KVec<Self>) -> Result<Blocks, (Error, KVec<Self>)> {
        let begun = Transfer::SetWriteBack.begin();
        let result = match Self::change_back(&blocks) {
            Ok(mut exclusive) => {
                for block in blocks {
                    let block = ManuallyDrop::new(block);
                    // SAFETY: The block is write-back again, and `block` is neither used nor
                    // dropped any more.
                    let pages = ManuallyDrop::into_inner(unsafe { ptr::read(&block.pages) });
                    // SAFETY: An allocated page, whose word is its owner's.
                    unsafe { helpers::labyrinth_page_set_link(pages.page(), 0) };
                    // There is room for all blocks.
                    let _ = exclusive.push_within_capacity(pages);
                }
                Ok(exclusive)
            }
            Err(error) => Err((error, blocks)),
        };
        begun.done(result.is_ok());
        result
    }

    /// Makes blocks write-back, and returns a vector that has room for them.
    fn change_back(blocks: &KVec<Self>) -> Result<Blocks> {
        let room = KVec::with_capacity(blocks.len(), GFP_KERNEL)?;
        let mut table = make_table(blocks.iter().map(|block| &*block.pages))?;

        // SAFETY: Called in a context that may sleep. The table has all pages of blocks with an
        // attribute, which are ours alone, and nobody accesses their contents now.
        to_result(unsafe {
            // CAST: `make_table` has checked that.
            helpers::labyrinth_attribute_reset(table.as_mut_ptr().cast(), table.len() as c_int)
        })?;
        Ok(room)
    }

    /// Lends the contents to `work`, which sees what others have written before. Any context.
    pub fn read<R>(&self, work: impl FnOnce(&[Bytes]) -> R) -> R {
        fence();
        // SAFETY: By the invariants there are 2^order pages of bytes at that address. Nobody writes
        // to them while `self` is borrowed, and `work` cannot keep the reference.
        work(unsafe { slice::from_raw_parts(self.contents().as_ptr(), 1 << self.order()) })
    }

    /// Lends the contents to `work` for writing. When this returns, others can see what `work` has
    /// written, devices included. Any context.
    pub fn write<R>(&mut self, work: impl FnOnce(&mut [Bytes]) -> R) -> R {
        fence();
        let (first, count) = (self.contents().as_ptr(), 1 << self.order());
        // SAFETY: As in `read`, and `self` is borrowed mutably.
        let result = work(unsafe { slice::from_raw_parts_mut(first, count) });
        fence();
        result
    }

    /// Returns the order. Any context.
    pub fn order(&self) -> u32 {
        self.pages.order()
    }

    /// Returns the page frame number of the first page. Any context.
    pub fn pfn(&self) -> usize {
        self.pages.pfn()
    }

    /// Returns whether one of the pages has gone bad, see [`BadMemory`](crate::mm::BadMemory). Any
    /// context.
    pub fn is_bad(&self) -> bool {
        self.pages.is_bad()
    }

    /// Returns the address of the contents.
    fn contents(&self) -> NonNull<Bytes> {
        // SAFETY: By the invariant the block has a mapping.
        let address = unsafe { helpers::labyrinth_attribute_mapping(self.pages.page()) };
        // SAFETY: A mapping in the kernel's address space is not at null.
        unsafe { NonNull::new_unchecked(address.cast()) }
    }
}

impl<A: CacheAttribute> Drop for AttributedPages<A> {
    fn drop(&mut self) {
        // SAFETY: By the invariants the block has an attribute, and is ours alone. Nobody uses it
        // from here on but the function, which frees it.
        unsafe { helpers::labyrinth_attribute_drop(self.pages.page()) };
    }
}

/// All pages of some blocks.
type Table = KVVec<NonNull<bindings::page>>;

/// Lists all pages of some blocks. `EINVAL` if there are no pages, or more than C can count.
fn make_table<'a>(
    blocks: impl Iterator<Item = &'a ExclusivePages<Bytes>> + Clone,
) -> Result<Table> {
    let count = blocks.clone().map(|block| block.len()).sum();
    if count == 0 || c_int::try_from(count).is_err() {
        return Err(EINVAL);
    }
    let mut table = KVVec::with_capacity(count, GFP_KERNEL)?;

    for block in blocks {
        for index in 0..block.len() {
            // SAFETY: The block has so many pages, and their structures are in a row.
            let page = unsafe { NonNull::new_unchecked(block.page().add(index)) };
            table.push(page, GFP_KERNEL)?;
        }
    }
    Ok(table)
}

/// Orders all accesses to pages of any attribute. Any context.
fn fence() {
    // SAFETY: No requirements.
    unsafe { helpers::labyrinth_attribute_fence() };
}
