// SPDX-License-Identifier: GPL-2.0

//! Counts that saturate.

use crate::{
    property::holds,
    saturating_logic::{
        one_less,
        one_more,
        SATURATED, //
    },
    Case, //
};
use proptest::{
    bool,
    collection::vec, //
};

pub(crate) const CASES: &[Case] = &[
    ("saturating_counts_as_numbers_do", counts_as_numbers_do),
    ("saturating_never_too_small", never_too_small),
];

/// Away from the end of the range, up and down add and subtract one.
fn counts_as_numbers_do() {
    holds(1..SATURATED - 1, |count| {
        assert_eq!(one_more(count), count + 1);
        assert_eq!(one_less(count), count - 1);
    });
    assert_eq!((one_more(0), one_less(1)), (1, 0));
}

/// Near the end of the range, a count is never smaller than the true number. Once at the end it
/// stays there.
fn never_too_small() {
    holds((0..5_u32, vec(bool::ANY, 0..50)), |(below, steps)| {
        let (mut count, mut number) = (SATURATED - below, u64::from(SATURATED - below));
        let mut was_full = count == SATURATED;
        for up in steps {
            (count, number) = if up {
                (one_more(count), number + 1)
            } else {
                (one_less(count), number - 1)
            };
            was_full |= number >= u64::from(SATURATED);
            assert_eq!(count == SATURATED, was_full);
            assert!(was_full || u64::from(count) == number);
        }
    });
    // A count that is too small must not allow the module to be unloaded.
    assert_eq!(one_less(0), SATURATED);
}
