// SPDX-License-Identifier: GPL-2.0

//! What a page is: exclusive access to its contents, proven by the compiler.
//!
//! # Vocabulary
//!
//! - *Exclusive*: whoever holds the value is the only one to read, write, map or free the page.
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
//! ```

mod chain;
mod exclusive;
mod gfp;
mod lent;
mod pages;
mod place;

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
