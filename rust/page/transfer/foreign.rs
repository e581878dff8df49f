// SPDX-License-Identifier: GPL-2.0

//! Pages that are lent to C code. No compiler ensures that C returns them once, whole, and to their
//! owner.
//!
//! Such pages carry a mark, in a word of `struct page` that belongs to the owner of a page. The
//! mark says whose the pages are, their form, and whether they are out. Taking a page back changes
//! the mark from "out" to "back" with one atomic operation. A second attempt, even at the same
//! time, finds another mark and fails.
//!
//! ```text
//!                      into_foreign(owner)
//!   ExclusivePages ───────────────────► address, mark "out"
//!          ▲                                    │
//!          └────────────────────────────────────┘
//!                from_foreign(owner): mark "back"
//! ```
//!
//! C can also keep the pages for good. [`detach_foreign`] takes them back, and gives them away
//! without a mark.
//!
//! Pages of other owners have something else in that word. It can look like a mark only by chance,
//! because a mark is mixed with a random number that [`make_ready`] makes each time the module is
//! loaded. The allocator clears the word when it hands out a page, so an old mark does not survive
//! a page's way through the allocator.
//!
//! One misuse goes unnoticed: C returns an address twice, and in between the same owner has handed
//! out the page again.

use crate::{
    ffi::{
        exports::{
            Foreign,
            FromC, //
        },
        helpers,
        mm::foreign_pages,
        sync::handles::{
            Handle,
            HANDLE_BITS, //
        }, //
    },
    page::{
        pages::{
            ExclusivePages,
            Form,
            MAX_ORDER, //
        },
        Uninit, //
    }, //
};
use core::ptr::NonNull;
use kernel::{
    bindings,
    page::PAGE_SIZE,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// The reason why an address was not taken back.
pub(crate) enum Refusal {
    /// The address is null.
    Null,
    /// The address is in the middle of a page.
    Unaligned,
    /// The address does not belong to labyrinth: it is not in the linear mapping, or its page was
    /// not lent.
    NotOurs,
    /// The pages are back already.
    AlreadyBack,
    /// The pages belong to another owner.
    Other {
        /// The owner of the pages.
        owner: Handle,
        /// The order of the pages.
        order: u32,
    },
    /// The page is in a block that is out, but is not its first page.
    Inside {
        /// The order of that block.
        order: u32,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Out = 0,
    Back = 1,
}

const STATE_BITS: u32 = 1;

const _: () = assert!(HANDLE_BITS + Form::BITS + STATE_BITS <= usize::BITS);

/// The contents of a mark.
struct Mark {
    owner: Handle,
    form: Form,
    state: State,
}

impl Mark {
    #[inline]
    fn encode(owner: Handle, form: Form, state: State) -> usize {
        let fields = (owner.raw() << Form::BITS | form.raw() as usize) << STATE_BITS;
        (fields | state as usize) ^ key()
    }

    /// Decodes a word as a mark.
    fn decode(word: usize) -> Option<Self> {
        let fields = word ^ key();
        let owner = fields >> (Form::BITS + STATE_BITS);
        Some(Self {
            owner: Handle::from_raw(owner).filter(|_| owner >> HANDLE_BITS == 0)?,
            form: Form::from_raw((fields >> STATE_BITS) as u32 & ((1 << Form::BITS) - 1))?,
            state: if fields & 1 == 0 {
                State::Out
            } else {
                State::Back
            },
        })
    }

    /// Returns the mark of the page at an address, if that is a page and has a mark.
    fn at(address: *const c_void, known: impl Fn(Handle) -> bool) -> Option<Self> {
        let mut word = 0;
        // SAFETY: The address may be anything; `word` is valid for writing.
        let valid = unsafe { helpers::labyrinth_page_mark_of(address, &mut word) };

        Self::decode(word).filter(|mark| valid && known(mark.owner))
    }
}

/// The random number that all marks are mixed with; 0 before [`make_ready`].
static KEY: Atomic<usize> = Atomic::new(0);

/// Makes the random number that all marks are mixed with, unless it exists. Call this before
/// lending pages. Task context only: the kernel takes a lock for the number, which sleeps on
/// PREEMPT_RT.
pub(crate) fn make_ready() {
    key();
}

#[inline]
fn key() -> usize {
    match KEY.load(Relaxed) {
        0 => make_key(),
        key => key,
    }
}

#[cold]
fn make_key() -> usize {
    // SAFETY: Any context but NMI. (On PREEMPT_RT the lock of this function sleeps.)
    let key = unsafe { bindings::get_random_u64() } as usize | 1;
    // Another CPU may have been first.
    match KEY.cmpxchg(0, key, Relaxed) {
        Ok(_) => key,
        Err(first) => first,
    }
}

/// Marks pages as lent, and returns their address for C. Any context.
#[inline]
pub(crate) fn into_foreign(pages: ExclusivePages<Uninit>, owner: Handle) -> Foreign {
    let form = pages.form();
    let page = pages.into_page();

    // SAFETY: An allocated page in the linear mapping, which was ours until now.
    let address = unsafe {
        let mark = Mark::encode(owner, form, State::Out);
        NonNull::new_unchecked(helpers::labyrinth_page_mark(page.as_ptr(), mark))
    };
    // SAFETY: The pages were exclusively ours, and this gives them away.
    unsafe { Foreign::new(address) }
}

/// Takes back pages of `owner` that have this `form`, or returns the block. Any context.
///
/// This uses up `block`. If the value could be used again later, the pages could be out once more,
/// with a user in C that has not returned them.
#[inline]
pub(crate) fn from_foreign(
    block: FromC,
    owner: Handle,
    form: Form,
) -> Result<ExclusivePages<Uninit>, FromC> {
    let out = Mark::encode(owner, form, State::Out);
    let back = Mark::encode(owner, form, State::Back);
    // SAFETY: The address may be anything.
    let page = unsafe { helpers::labyrinth_page_remark(block.address(), out, back) };
    let Some(page) = NonNull::new(page) else {
        return Err(block);
    };
    // SAFETY: The mark said that `into_foreign` gave away these pages, in that form, and that
    // nobody has taken them back; the change of the mark was atomic, so nobody else does. By the
    // invariant of `FromC` C does not use them any more.
    Ok(unsafe { ExclusivePages::from_given(page, form) })
}

/// Gives pages of `owner` that are lent, and have this `form`, to C for good. Returns the block if
/// they are not lent. Any context.
///
/// The pages are ordinary pages of the allocator then. C frees them there.
pub(crate) fn detach_foreign(block: FromC, owner: Handle, form: Form) -> Result<Foreign, FromC> {
    let mut pages = from_foreign(block, owner, form)?;
    // The allocator would not undo the charge.
    pages.uncharge();
    let page = pages.into_page();

    // SAFETY: An allocated page in the linear mapping, which was ours until now.
    let address = unsafe { NonNull::new_unchecked(helpers::labyrinth_page_unmark(page.as_ptr())) };
    // SAFETY: The pages were exclusively ours, and this gives them away.
    Ok(unsafe { Foreign::new(address) })
}

/// Takes back pages, of any order, of an `owner` that no longer exists. Without an owner nothing is
/// taken back. Any context.
pub(crate) fn from_foreign_late(
    block: FromC,
    owner: Option<Handle>,
) -> Result<ExclusivePages<Uninit>, FromC> {
    match Mark::at(block.address(), |handle| Some(handle) == owner) {
        Some(mark) => from_foreign(block, mark.owner, mark.form),
        None => {
            foreign_pages::refused();
            Err(block)
        }
    }
}

/// Returns the reason why pages were not taken back. Any context.
///
/// `known` returns whether an owner with this handle ever existed.
#[cold]
pub(crate) fn why_not(
    block: &FromC,
    owner: Handle,
    known: impl Fn(Handle) -> bool + Copy,
) -> Refusal {
    let address = block.address();
    if address.is_null() {
        return Refusal::Null;
    }
    if address.addr() % PAGE_SIZE != 0 {
        return Refusal::Unaligned;
    }
    match Mark::at(address, known) {
        Some(Mark {
            owner: other,
            form,
            state: State::Out,
        }) if other != owner => {
            return Refusal::Other {
                owner: other,
                order: form.order(),
            }
        }
        // If the mark is the owner's mark "out", the pages were lent again after the check.
        Some(_) => return Refusal::AlreadyBack,
        None => {}
    }
    for order in 1..=MAX_ORDER {
        let first = address.map_addr(|address| address & !((PAGE_SIZE << order) - 1));
        match Mark::at(first, known) {
            Some(mark) if mark.state == State::Out && mark.form.order() >= order => {
                return Refusal::Inside {
                    order: mark.form.order(),
                };
            }
            _ => {}
        }
    }
    Refusal::NotOurs
}
