// SPDX-License-Identifier: GPL-2.0

//! Means of repeated runs, with confidence intervals.

use schemars::JsonSchema;
use serde::Serialize;

/// The two-sided 95 % points of Student's t distribution for 1 to 30 degrees of freedom.
const T: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
];

/// The mean of a metric over runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Estimate {
    /// The number of runs.
    pub runs: u64,
    /// The mean over the runs.
    pub mean: f64,
    /// Half the width of the 95 % confidence interval, from two runs on.
    pub half_width: Option<f64>,
}

/// Returns the two-sided 95 % point of Student's t distribution. Beyond 30 degrees of freedom, this
/// is the expansion of Cornish and Fisher, whose error is below 0.001 there.
pub fn student(freedom: u64) -> f64 {
    let index = usize::try_from(freedom).unwrap_or(usize::MAX);

    if let Some(t) = index.checked_sub(1).and_then(|index| T.get(index)) {
        return *t;
    }
    let (z, n) = (1.959_964_f64, freedom as f64);
    z + (z.powi(3) + z) / (4.0 * n)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * n * n)
}

/// Estimates the mean from the values of independent runs. Returns nothing without any.
pub fn estimate(values: &[f64]) -> Option<Estimate> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>();

    (!values.is_empty()).then(|| Estimate {
        runs: values.len() as u64,
        mean,
        half_width: (values.len() > 1).then(|| {
            let error = (squares / (count - 1.0) / count).sqrt();
            student(values.len() as u64 - 1) * error
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::{estimate, student};
    use proptest::prelude::*;

    #[test]
    fn a_known_sample() {
        // By hand: mean 3, deviation 1.5811, error 0.7071, t(4) 2.776.
        let found = estimate(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert!((found.mean - 3.0).abs() < 1e-12);
        assert!((found.half_width.unwrap() - 1.9629).abs() < 1e-4);
        assert_eq!(estimate(&[]), None);
        assert_eq!(estimate(&[7.0]).unwrap().half_width, None);
    }

    #[test]
    fn the_points_are_those_of_tables() {
        for (freedom, t) in [
            (40, 2.0211),
            (60, 2.0003),
            (120, 1.9799),
            (1_000_000, 1.9600),
        ] {
            assert!((student(freedom) - t).abs() < 2e-4, "{freedom}");
        }
        assert!((2..200).all(|freedom| student(freedom) < student(freedom - 1)));
    }

    proptest! {
        #[test]
        fn the_mean_is_within_the_values(values in prop::collection::vec(0.0..1e12, 1..40)) {
            let found = estimate(&values).unwrap();
            let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), value| {
                (low.min(*value), high.max(*value))
            });
            prop_assert!(found.mean >= low - 1e-3 && found.mean <= high + 1e-3);
            prop_assert!(found.half_width.is_none_or(|half| half >= 0.0));
        }

        #[test]
        fn scale_and_order_do_not_matter(
            mut values in prop::collection::vec(1.0..1e9, 2..20), factor in 0.01..100.0,
        ) {
            let before = estimate(&values).unwrap();
            values.reverse();
            values.iter_mut().for_each(|value| *value *= factor);
            let after = estimate(&values).unwrap();
            let (one, other): (f64, f64) = (before.half_width.unwrap() * factor, after.half_width.unwrap());
            prop_assert!((one - other).abs() <= 1e-6 * (1.0 + before.mean * factor));
        }

        #[test]
        fn the_interval_has_the_mean_in_nineteen_of_twenty(seed in 0_u64..50) {
            // Sums of twelve uniform numbers are nearly normal. 400 samples of 5 runs.
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
            let mut uniform = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 11) as f64 / (1_u64 << 53) as f64
            };
            let mut inside = 0;
            for _ in 0..400 {
                let values: Vec<f64> =
                    (0..5).map(|_| 100.0 + (0..12).map(|_| uniform()).sum::<f64>()).collect();
                let found = estimate(&values).unwrap();
                inside += u32::from((found.mean - 106.0).abs() <= found.half_width.unwrap());
            }
            // 380 is expected; 356 is more than five standard deviations away.
            prop_assert!((356..=400).contains(&inside), "{inside} of 400");
        }
    }
}
