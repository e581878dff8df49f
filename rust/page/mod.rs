// SPDX-License-Identifier: GPL-2.0

//! Pages, with exclusive access to their contents that the compiler proves.
//!
//! # Vocabulary
//!
//! - *Exclusive*: only the holder of the value can read, write, map or free the page.
//! - *Transfer*, in reports *hand-over*: a call that takes the value of one holder and returns a
//!   value for the next. Ownership moves in no other way, so code of the old holder that still uses
//!   the page does not compile. Each transfer is counted by its kind, and its latency is recorded
//!   unless the page is lent to C or returned from there: see [`Handover`](crate::stats::Handover).
//! - *Contents*: [`Uninit`] (as the allocator left it) or [`Bytes`].
//! - *Context*: a token of [`crate::ffi::context`]; it decides which [`Gfp`] flags can be used.
//!
//! # State diagram
//!
//! Each arrow to the right takes the page by value, and gives it back when it fails.
//!
//! ```text
//!                      ┌──────────────────┐
//!                      │                  │ ── lend(owner) ─────────────────────► lent to C
//!                      │ exclusive        │ ◄─ take_back(returned), once ────────  an address, marked
//!                      │                  │
//!        alloc(cx, gfp)│ ExclusivePage,   │ ── Shared::new(cx, gfp, …) ─────────► Shared
//! buddy ──────────────►│ ExclusivePages   │ ◄─ take_back(), the last reader ─────  read-only, counted
//!   ▲         drop     │                  │
//!   └──────────────────│ Uninit           │ ── map(cx, device, direction, …) ───► Mapped
//!                      │   │       ▲      │ ◄─ unmap() ──────────────────────────  the device's
//!                      │   │zeroed()      │
//!                      │   │       │      │ ── UserPage::map(cx, area, …) ──────► UserPage
//!                      │   │   into_      │ ◄─ munmap(), exit: zeroed ───────────  one process's
//!                      │   ▼  uninit()    │
//!                      │ Bytes            │ ── View::map(cx, …) sleeps ─────────► View
//!                      │                  │ ◄─ unmap(cx) sleeps ─────────────────  many, as one slice
//!                      │ the holder reads,│
//!                      │ writes, maps and │ ── Guarded::new(cx, …) ─────────────► Guarded
//!                      │ frees the page   │ ◄─ open(), checked ──────────────────  between canaries
//!                      │                  │
//!                      │                  │ ── Secret::new(…) ──────────────────► Secret
//!                      │                  │ ◄─ into_inner(), scrubbed ───────────  scrubbed at its end
//!                      └──────────────────┘
//! ```
//!
//! The types can be combined: a [`View`] and a [`Secret`] can be shared, and a view can be a
//! secret. Blocks of several pages ([`ExclusivePages`]) have the same transfers, except to views
//! and processes, which take single pages.

mod canary;
mod chain;
pub(crate) mod dma;
mod exclusive;
mod gfp;
mod guarded;
mod kernel_page;
mod lent;
mod pages;
mod place;
mod secret;
pub mod sentinel;
mod shared;
mod user;
mod view;

pub use chain::Chain;
pub use exclusive::{
    Bytes,
    ExclusivePage,
    Uninit, //
};
pub use gfp::{
    AllowedIn,
    Atomic,
    Gfp,
    Kernel,
    MayFail,
    NoLock,
    NoWait,
    NoWarn, //
};
pub use guarded::{
    Damaged,
    Guarded, //
};
pub(crate) use lent::{
    lend,
    make_ready,
    take_back,
    take_back_late,
    why_not,
    Refusal, //
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
pub use user::{
    Home,
    Refused,
    UserPage, //
};
pub use {
    secret::Secret,
    shared::{
        Shareable,
        Shared, //
    },
    view::View, //
};
