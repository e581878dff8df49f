// SPDX-License-Identifier: GPL-2.0

//! Counting up and down for a count that must never be too small.
//!
//! A count that has reached its end stays there, as nobody knows any more how many it stands for. A
//! count that was decremented once too often goes there, too. The kernel's `refcount_t` follows the
//! same rule.
//!
//! A test on the host includes this file as it is, so nothing here may use the `kernel` crate or
//! another part of labyrinth.

/// The count that stays as it is.
pub(crate) const SATURATED: u32 = u32::MAX;

/// The count with one more.
pub(crate) const fn one_more(count: u32) -> u32 {
    count.saturating_add(1)
}

/// The count with one less.
pub(crate) const fn one_less(count: u32) -> u32 {
    match count {
        0 | SATURATED => SATURATED,
        _ => count - 1,
    }
}
