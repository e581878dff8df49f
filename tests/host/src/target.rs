// SPDX-License-Identifier: GPL-2.0

//! Tests how many pages are refilled.

use crate::{
    logic::target::Target,
    property::holds,
    Case, //
};
use proptest::num::usize::ANY;

pub(crate) const CASES: &[Case] = &[
    ("target_of_any_size", of_any_size),
    (
        "target_refill_reaches_the_target",
        refill_reaches_the_target,
    ),
];

/// Nothing overflows for any size. The missing pages are wanted, and never more than fit.
fn of_any_size() {
    holds((ANY, ANY, ANY), |(target, level, chunk)| {
        let target_level = Target::new(target);
        let wanted = target_level.wanted(level, chunk);
        assert!(wanted <= chunk);
        assert!(u128::from(wanted as u64) + level as u128 <= target.max(level) as u128);
        assert_eq!(wanted == 0, level >= target || chunk == 0);
    });
}

/// A refill in chunks ends at the target, in as few chunks as it takes.
fn refill_reaches_the_target() {
    holds(
        (0..5000_usize, 0..5000_usize, 1..300_usize),
        |(target, start, chunk)| {
            let target_level = Target::new(target);
            let (mut level, mut chunks) = (start, 0);
            loop {
                let more = target_level.wanted(level, chunk);
                if more == 0 {
                    break;
                }
                level += more;
                chunks += 1;
            }
            assert_eq!(level, target.max(start));
            assert_eq!(chunks, target.saturating_sub(start).div_ceil(chunk));
        },
    );
}
