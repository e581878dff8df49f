// SPDX-License-Identifier: GPL-2.0

//! Cells of tables. If a cell does not fit into its column, the line gets longer. There is always a
//! space between two cells.
//!
//! Needs no kernel; the host tests include it.

use super::fmt;

/// A text at the left of a column. The width counts the space after it.
pub(crate) struct Left<'a>(pub(crate) &'a str, pub(crate) usize);

impl fmt::Display for Left<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, width) = *self;
        write!(f, "{text:<width$} ", width = width.saturating_sub(1))
    }
}

/// A text at the right of a column. The width counts the space before it.
pub(crate) struct Right<'a>(pub(crate) &'a str, pub(crate) usize);

impl fmt::Display for Right<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, width) = *self;
        write!(f, " {text:>width$}", width = width.saturating_sub(1))
    }
}

/// A number at the right of a column, or a dash if there is no number. The width is that of
/// [`Right`].
pub(crate) struct Number(pub(crate) Option<u64>, pub(crate) usize);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, width) = *self;
        match number {
            Some(number) => write!(f, " {number:>width$}", width = width.saturating_sub(1)),
            None => fmt::Display::fmt(&Right("-", width), f),
        }
    }
}

/// The share of successful requests in per cent, at the right of a column, or a dash if there were
/// no requests.
///
/// It is rounded down, so 100.000 means that no request has failed.
pub(crate) struct Rate {
    /// The requests that did not fail.
    pub(crate) success: u64,
    /// The requests that failed.
    pub(crate) failure: u64,
    /// The width of the column.
    pub(crate) width: usize,
}

impl Rate {
    /// The rate in thousandths of a per cent, rounded down.
    fn thousandths(&self) -> Option<u64> {
        const WHOLE: u64 = 100_000;
        let success = u128::from(self.success);
        let total = success + u128::from(self.failure);
        if total == 0 {
            return None;
        }

        // The kernel has no 128-bit division. So this searches for the quotient by multiplication.
        let (mut least, mut beyond) = (0, WHOLE + 1);
        while beyond - least > 1 {
            let middle = least + (beyond - least) / 2;
            if u128::from(middle) * total <= success * u128::from(WHOLE) {
                least = middle;
            } else {
                beyond = middle;
            }
        }
        Some(least)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The fraction has four characters.
        let width = self.width.saturating_sub(5);
        match self.thousandths() {
            Some(rate) => write!(f, " {:>width$}.{:03}", rate / 1000, rate % 1000),
            None => fmt::Display::fmt(&Right("-", self.width), f),
        }
    }
}
