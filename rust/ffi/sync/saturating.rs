// SPDX-License-Identifier: GPL-2.0

//! Saturating increments and decrements, for a count that must never be too small.
//!
//! A count that has reached its maximum stays there, as the true number is no longer known. A count
//! that is decremented once too often becomes the maximum, too. The kernel's `refcount_t` follows
//! the same rule.
//!
//! A test on the host includes this file unchanged, so nothing here may use the `kernel` crate or
//! another part of labyrinth.

/// The value of a saturated count.
pub(crate) const SATURATED: u32 = u32::MAX;

/// Returns the count plus one.
pub(crate) const fn one_more(count: u32) -> u32 {
    count.saturating_add(1)
}

/// Returns the count minus one.
pub(crate) const fn one_less(count: u32) -> u32 {
    match count {
        0 | SATURATED => SATURATED,
        _ => count - 1,
    }
}
