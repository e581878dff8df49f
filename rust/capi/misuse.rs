// SPDX-License-Identifier: GPL-2.0

//! Counts misuse of the C interface, and reports the first misuse of each kind.

use crate::{
    ffi::exports::{
        report_misuse,
        Caller, //
    },
    stats::{
        label,
        Row, //
    }, //
};
use kernel::{
    fmt,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// The kinds of misuse by C code that are noticed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Misuse {
    /// NULL was passed in place of a pool, a block or an array.
    Null,
    /// An address in the middle of a page.
    Unaligned,
    /// An address that no pool has handed out.
    Foreign,
    /// A block that was already given back.
    DoubleFree,
    /// A block of another pool.
    WrongPool,
    /// A block of another pool, with another order, or an address in the middle of a block.
    WrongOrder,
    /// A pool that never existed, or does not exist any more.
    NoPool,
    /// A pool that was destroyed while some of its blocks were out.
    BlocksOut,
    /// A function that sleeps, in a context that may not sleep.
    WrongContext,
}

impl Misuse {
    /// How many kinds there are.
    const COUNT: usize = 9;

    /// All kinds; `kind as usize` is the index.
    const ALL: [Self; Self::COUNT] = [
        Self::Null,
        Self::Unaligned,
        Self::Foreign,
        Self::DoubleFree,
        Self::WrongPool,
        Self::WrongOrder,
        Self::NoPool,
        Self::BlocksOut,
        Self::WrongContext,
    ];

    /// The name in metrics.
    const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Unaligned => "unaligned",
            Self::Foreign => "foreign",
            Self::DoubleFree => "double_free",
            Self::WrongPool => "wrong_pool",
            Self::WrongOrder => "wrong_order",
            Self::NoPool => "no_pool",
            Self::BlocksOut => "blocks_out",
            Self::WrongContext => "wrong_context",
        }
    }

    /// Counts the misuse, and reports it if it is the first of its kind. Any context in which
    /// printing is allowed.
    #[cold]
    pub(super) fn happened(self, caller: Caller, what: fmt::Arguments<'_>) {
        self.happened_at(None, caller, what);
    }

    /// Like [`Self::happened`], for misuse of an address.
    #[cold]
    pub(super) fn happened_at(
        self,
        address: Option<*const c_void>,
        caller: Caller,
        what: fmt::Arguments<'_>,
    ) {
        if COUNTS[self as usize].fetch_add(1, Relaxed) == 0 {
            report_misuse(fmt!("{}: {}", self.name(), what), address, caller);
        }
    }
}

pub(super) static ROWS: [Row<()>; 1] = [Row::counter(
    "misuse",
    "What C modules did wrong.",
    &[label!("kind", Misuse)],
    |(), [kind, ..]| COUNTS[kind].load(Relaxed) as u64,
)];

static COUNTS: [Atomic<i64>; Misuse::COUNT] = [const { Atomic::new(0) }; Misuse::COUNT];
