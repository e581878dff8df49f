// SPDX-License-Identifier: GPL-2.0

//! When and how much is refilled.

use crate::{
    logic::marks::Marks,
    property::holds,
    Case, //
};
use proptest::num::usize::ANY;

pub(crate) const CASES: &[Case] = &[
    ("marks_low_is_three_quarters", low_is_three_quarters),
    ("marks_of_any_size", of_any_size),
    ("marks_refill_reaches_the_target", refill_reaches_the_target),
];

/// For every small target and level: low means at most three quarters, in wider arithmetic.
fn low_is_three_quarters() {
    for target in 0..=300 {
        let marks = Marks::new(target);
        assert_eq!(marks.target(), target);
        for level in 0..=target + 10 {
            let wanted = target > 0 && 4 * level <= 3 * target;
            assert_eq!(
                marks.is_low(level),
                wanted,
                "target {target}, level {level}"
            );
        }
    }
}

/// No overflow, however large; what is low wants something, and never more than fits.
fn of_any_size() {
    holds((ANY, ANY, ANY), |(target, level, chunk)| {
        let marks = Marks::new(target);
        let wanted = marks.wanted(level, chunk);
        assert!(wanted <= chunk);
        assert!(u128::from(wanted as u64) + level as u128 <= target.max(level) as u128);
        if marks.is_low(level) && chunk > 0 {
            assert!(wanted > 0);
        }
        if level >= target {
            assert!(!marks.is_low(level) && wanted == 0);
        }
    });
}

/// A refill in chunks ends at the target, in as few chunks as it takes, and is low no more.
fn refill_reaches_the_target() {
    holds(
        (0..5000_usize, 0..5000_usize, 1..300_usize),
        |(target, start, chunk)| {
            let marks = Marks::new(target);
            let (mut level, mut chunks) = (start, 0);
            loop {
                let more = marks.wanted(level, chunk);
                if more == 0 {
                    break;
                }
                level += more;
                chunks += 1;
            }
            assert_eq!(level, target.max(start));
            assert_eq!(chunks, target.saturating_sub(start).div_ceil(chunk));
            assert!(!marks.is_low(level));
        },
    );
}
