// SPDX-License-Identifier: GPL-2.0

//! The arithmetic of log-linear histograms; no state, no context.
//!
//! Values below 32 have a bucket each. From there every power of two is divided into 16 buckets of
//! equal width, so a bucket is at most 1/16 as wide as its values are large. Values of 2³⁶ and more
//! (69 s in nanoseconds) share the last bucket.
//!
//! The scheme is that of HdrHistogram (G. Tene), in its simplest form.

/// Buckets for each power of two.
const PER_OCTAVE: usize = 16;

/// log2 of [`PER_OCTAVE`].
const PER_OCTAVE_LOG2: u32 = PER_OCTAVE.ilog2();

/// The values that are counted one by one.
const LINEAR: u64 = 2 * PER_OCTAVE as u64;

/// The power of two from which on values share the last bucket.
pub const MAX_LOG2: u32 = 36;

/// The number of buckets.
pub const BUCKETS: usize = LINEAR as usize + (MAX_LOG2 - LINEAR.ilog2()) as usize * PER_OCTAVE + 1;

/// The bucket of a value. Any context.
#[inline(always)]
pub const fn index(value: u64) -> usize {
    // Values below 32 count as part of the lowest octave, whose buckets have a width of one.
    let above = (value | PER_OCTAVE as u64)
        .ilog2()
        .wrapping_sub(PER_OCTAVE_LOG2) as usize;
    // The leading one bit and the four bits after it are 16 to 31, which is one octave more.
    let index = ((value >> above) as usize).wrapping_add(above.wrapping_mul(PER_OCTAVE));

    if index < BUCKETS {
        index
    } else {
        BUCKETS - 1
    }
}

/// The smallest value of a bucket. Any context.
pub const fn lower(index: usize) -> u64 {
    if index < LINEAR as usize {
        return index as u64;
    }
    let above = index - LINEAR as usize;
    let octave = (above / PER_OCTAVE) as u32;
    let leading = (above % PER_OCTAVE + PER_OCTAVE) as u64;

    leading << (octave + LINEAR.ilog2() - PER_OCTAVE_LOG2)
}

/// The largest value of a bucket: "≤ this". Any context.
pub const fn upper(index: usize) -> u64 {
    if index + 1 >= BUCKETS {
        u64::MAX
    } else {
        lower(index + 1) - 1
    }
}

/// The smallest bucket edge that at least `ten_thousandths` of the values do not exceed
/// (nearest rank); 0 for an empty histogram. Any context.
///
/// The result is at most 1/16 larger than the exact percentile, and never smaller.
///
/// `ten_thousandths` is at most 10,000.
pub fn percentile(counts: &[u64], ten_thousandths: u64) -> u64 {
    const WHOLE: u64 = 10_000;

    let total: u64 = counts.iter().sum();
    // The ceiling of total * ten_thousandths / 10,000, in steps that do not overflow.
    let rank = total / WHOLE * ten_thousandths + (total % WHOLE * ten_thousandths).div_ceil(WHOLE);
    let mut seen = 0;

    for (i, &count) in counts.iter().enumerate() {
        seen += count;
        if count != 0 && seen >= rank {
            return upper(i);
        }
    }
    0
}
