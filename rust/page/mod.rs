// SPDX-License-Identifier: GPL-2.0

//! Pages whose contents have one owner, which the compiler checks.
//!
//! # Vocabulary
//!
//! - *Exclusive*: only the holder of the value can read, write, map or free the page.
//! - *Transfer*: a call that takes the value of one holder and returns a value for the next.
//!   Ownership moves in no other way, so code of the old holder that still uses the page does not
//!   compile. Each transfer is counted by its kind. Its latency is recorded, too, unless the page
//!   is lent to C or returned from C: see [`Transfer`].
//! - *Contents*: [`Uninit`] (as the allocator left them) or [`Bytes`].
//! - *Context*: a token of [`crate::ffi::context`]. It decides which [`Gfp`] flags can be used.
//!
//! # State diagram
//!
//! Each arrow to the right takes the page by value, and gives it back when it fails.
//!
//! ```text
//!                      ┌──────────────────┐
//!                      │                  │ ── into_foreign(owner) ─────────────► lent to C
//!                      │ exclusive        │ ◄─ from_foreign(returned), once ─────  marked address
//!                      │                  │
//!        alloc(cx, gfp)│ ExclusivePage,   │ ── Shared::new(cx, gfp, …) ─────────► Shared
//! buddy ──────────────►│ ExclusivePages   │ ◄─ take_back(), the last reader ─────  read-only
//!   ▲         drop     │                  │
//!   └──────────────────│ Uninit           │ ── map(cx, device, direction, …) ───► Mapped
//!                      │   │       ▲      │ ◄─ unmap() ──────────────────────────  the device's
//!                      │   │zeroed()      │
//!                      │   │       │      │ ── UserPage::map(cx, area, …) ──────► UserPage
//!                      │   │   into_      │ ◄─ munmap(), exit: zeroed ───────────  one process's
//!                      │   ▼  uninit()    │
//!                      │ Bytes            │ ── VmappedPages::map(cx, …) sleeps ─► VmappedPages
//!                      │                  │ ◄─ unmap(cx) sleeps ─────────────────  as one slice
//!                      │ the holder reads,│
//!                      │ writes, maps and │ ── Guarded::new(cx, …) ─────────────► Guarded
//!                      │ frees the page   │ ◄─ open(), checked ──────────────────  with canaries
//!                      │                  │
//!                      │                  │ ── Secret::new(…) ──────────────────► Secret
//!                      │                  │ ◄─ into_inner(), scrubbed ───────────  scrubbed at end
//!                      │                  │
//!                      │                  │ ── AttributedPages::set(…) sleeps ──► AttributedPages
//!                      │                  │ ◄─ AttributedPages::reset(…) sleeps ─  without cache
//!                      │                  │
//!                      │                  │ ── HostPages::share(cx, …) sleeps ──► HostPages
//!                      │                  │ ◄─ take_back(cx) sleeps, zeroed ─────  the host, too
//!                      └──────────────────┘
//! ```
//!
//! The types can be combined: [`VmappedPages`] and a [`Secret`] can be shared, and [`VmappedPages`]
//! can be a secret. Blocks of several pages ([`ExclusivePages`]) have the same transfers, except
//! those to [`VmappedPages`] and to processes, which take single pages. [`AttributedPages`] are
//! changed many blocks at a time.

mod calls;
mod chain;
mod contiguous;
mod exclusive;
mod gfp;
mod pages;
mod place;
pub mod sentinel;
pub(crate) mod transfer;
mod usable;

pub use calls::{
    AllocPages,
    AllocPagesNoLock,
    CalledIn,
    Calls, //
};
pub use chain::Chain;
pub use contiguous::{
    Bounds,
    ContiguousPages, //
};
pub use exclusive::{
    Bytes,
    Contents,
    ExclusivePage,
    Uninit, //
};
pub use gfp::{
    AllowedIn,
    Gfp,
    GfpAtomic,
    GfpKernel,
    GfpNoLock,
    GfpNoWait,
    MayFail,
    Movable,
    NoKswapd,
    NoWarn,
    SlabGfp, //
};
pub(crate) use pages::{
    CheckedShape,
    Form, //
};
pub use pages::{
    ExclusivePages,
    Shape,
    MAX_ORDER, //
};
pub use place::{
    Node,
    Place,
    ZoneLimit, //
};
pub(crate) use transfer::foreign::{
    detach_foreign,
    from_foreign,
    from_foreign_late,
    into_foreign,
    make_ready,
    why_not,
    Refusal, //
};
pub(crate) use transfer::*;
pub(crate) use usable::Usable;
