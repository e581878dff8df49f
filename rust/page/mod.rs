// SPDX-License-Identifier: GPL-2.0

//! What a page is: exclusive access to its contents, proven by the compiler.
//!
//! # Vocabulary
//!
//! - *Exclusive*: whoever holds the value is the only one to read, write, map or free the page.
//! - *Hand-over*: a call that takes the value of one holder and gives one to the next. There is no other
//!   way, so what the old holder could do does not compile any more. Each is recorded, see
//!   [`Handover`](crate::stats::Handover).
//! - *Contents*: [`Uninit`] (as the allocator left it) or [`Bytes`].
//! - *Context*: a proof token of [`crate::ffi::context`]; it decides which [`Gfp`] flags can be
//!   named.
//!
//! # State diagram
//!
//! ```text
//!                      alloc(cx, gfp)
//!   buddy allocator ───────────────────► ExclusivePage<Uninit> ─── zeroed() ───► ExclusivePage<Bytes>
//!          ▲                                │          ▲                            │         ▲
//!          │                                │ into_raw │ from_raw          into_raw │         │ from_raw
//!          │                                ▼          │ (unsafe)                   ▼         │ (unsafe)
//!          │                                  raw address, owned by whoever holds it
//!          └──────────── drop, from either state
//!
//!                     UserPage::map(area)
//!   ExclusivePage<Bytes> ──────────────────► UserPage, in the mapping of one process
//!            ▲                                  │
//!            └────── Home::returned(), zeroed ──┘  munmap(), execve(), exit
//! ```
//!
//! The holders of initialised pages, of [`ExclusivePage`] and, but for views, of [`ExclusivePages`]. Each
//! arrow to the right that fails gives back what it took. All but readers may write.
//!
//! ```text
//!   exclusive ── Shared::new(cx, gfp) ───────► Shared, Shared, … (Clone): only read
//!      ▲  │  ▲                                    │        │
//!      │  │  └───────── take_back() ──────────────┘        └─ drop of the last: freed
//!      │  │             only reader, else the handle again
//!      │  │
//!      │  ├───────── View::map(cx) ───────────► View: one slice, guards at both ends
//!      ├──┼─────────── unmap(cx) ────────────────┘  └─ drop: unmapped and freed later
//!      │  │        cx: both may sleep
//!      │  │
//!      │  └───────── Secret::new() ───────────► Secret: read and written
//!      └────────────── into_inner() ─────────────┘  └─ drop: scrubbed and freed
//!                  scrubbed
//! ```
//!
//! They go into each other: a [`View`] and a [`Secret`] can be shared, a view can be a secret.
//!
//! Of several pages the type is [`ExclusivePages`]. Whoever does not trust what shares a page's
//! neighbourhood puts guards around its contents:
//!
//! ```text
//!                             Guarded::new(cx)          hand_over(cx)
//!   ExclusivePages<Bytes> ──────────────────► Guarded ◄──┐ looks at the guards
//!             ▲                                 │  │ └───┘
//!             │ open(): looks at the guards     │  └────── drop: looks at the guards, and frees
//!             └─────────────────────────────────┘
//! ```
//!
//! How pages are given to a device and come back is in [`dma`].

mod canary;
mod chain;
#[allow(
    dead_code,
    unused_imports,
    reason = "for drivers, such as that in tests/modules/edu"
)]
pub(crate) mod dma;
mod exclusive;
mod gfp;
mod guarded;
mod lent;
mod pages;
mod place;
#[allow(dead_code, reason = "for drivers, of which this module has none")]
mod secret;
pub(crate) mod sentinel;
#[allow(dead_code, reason = "for drivers, of which this module has none")]
mod shared;
mod user;
#[allow(dead_code, reason = "for drivers, of which this module has none")]
mod view;

pub(crate) use chain::Chain;
pub(crate) use exclusive::{
    Bytes,
    ExclusivePage,
    Uninit, //
};
pub(crate) use gfp::{
    AllowedIn,
    Atomic,
    Gfp,
    Kernel,
    MayFail,
    NoLock,
    NoWait,
    NoWarn, //
};
pub(crate) use guarded::{
    Damaged,
    Guarded, //
};
pub(crate) use lent::{
    lend,
    take_back,
    take_back_late,
    why_not,
    Refusal, //
};
pub(crate) use pages::{
    ExclusivePages,
    Shape,
    MAX_ORDER, //
};
pub(crate) use place::{
    Node,
    Place, //
};
pub(crate) use user::{
    Home,
    UserPage, //
};
#[allow(unused_imports, reason = "as above")]
pub(crate) use {
    secret::Secret,
    shared::{
        Shareable,
        Shared, //
    },
    view::View, //
};
