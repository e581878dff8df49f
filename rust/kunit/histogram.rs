// SPDX-License-Identifier: GPL-2.0

//! A comparison of histogram indices and percentiles with an exact reference.

use super::Random;
use crate::stats::histogram::{
    index,
    lower,
    percentile,
    upper,
    BUCKETS,
    MAX_LOG2, //
};
use kernel::prelude::*;

#[kunit_tests(labyrinth_histogram)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_gap() {
        for i in 0..BUCKETS - 1 {
            assert_eq!(upper(i) + 1, lower(i + 1));
        }
        assert_eq!(lower(0), 0);
        assert_eq!(upper(BUCKETS - 1), u64::MAX);
    }

    #[test]
    fn edges_belong_to_their_bucket() {
        for i in 0..BUCKETS {
            assert_eq!(index(lower(i)), i);
            assert_eq!(index(upper(i)), i);
        }
    }

    #[test]
    fn buckets_are_at_most_a_sixteenth_wide() {
        for i in 0..BUCKETS - 1 {
            let excess = upper(i) - lower(i);
            assert!(excess * 16 <= lower(i));
        }
    }

    #[test]
    fn values_too_large_share_the_last_bucket() {
        assert_eq!(index((1 << MAX_LOG2) - 1), BUCKETS - 2);
        assert_eq!(index(1 << MAX_LOG2), BUCKETS - 1);
        assert_eq!(index(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn empty_histogram_has_percentile_zero() -> Result {
        let counts = KVVec::from_elem(0, BUCKETS, GFP_KERNEL)?;
        assert_eq!(percentile(&counts, 0), 0);
        assert_eq!(percentile(&counts, 10_000), 0);
        Ok(())
    }

    #[test]
    fn huge_counts_do_not_overflow() -> Result {
        let mut counts = KVVec::from_elem(0, BUCKETS, GFP_KERNEL)?;
        counts[3] = u64::MAX / 2;
        counts[7] = u64::MAX / 2;
        assert_eq!(percentile(&counts, 5_000), 3);
        assert_eq!(percentile(&counts, 5_001), 7);
        assert_eq!(percentile(&counts, 10_000), 7);
        Ok(())
    }

    #[test]
    fn percentiles_agree_with_sorted_values() -> Result {
        let mut random = Random(1);

        for &samples in &[1, 2, 3, 10, 100, 999, 1000, 1001] {
            for &bits in &[3, 8, 20, 35] {
                let mut counts = KVVec::from_elem(0, BUCKETS, GFP_KERNEL)?;
                let mut values = KVVec::with_capacity(samples, GFP_KERNEL)?;
                for _ in 0..samples {
                    let value = random.next() >> (40 - bits);
                    counts[index(value)] += 1;
                    values.push(value, GFP_KERNEL)?;
                }
                values.sort_unstable();

                for &ten_thousandths in &[1, 1_000, 5_000, 9_000, 9_900, 9_990, 10_000] {
                    let rank = (samples * ten_thousandths).div_ceil(10_000).max(1);
                    let exact = values[rank - 1];
                    let found = percentile(&counts, ten_thousandths as u64);

                    assert!(found >= exact);
                    assert!((found - exact) * 16 <= exact);
                }
            }
        }
        Ok(())
    }
}
