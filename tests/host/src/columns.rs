// SPDX-License-Identifier: GPL-2.0

//! Cells of the tables in `stats`: there is always a space between two of them, and the rate says
//! 100.000 only if nothing has failed.

use crate::Case;
use logic::{
    Left,
    Number,
    Rate,
    Right, //
};
use std::fmt;

#[path = "../../../rust/debugfs/columns.rs"]
mod logic;

pub(crate) const CASES: &[Case] = &[
    ("columns_keep_apart", keep_apart),
    ("columns_rate_is_exact", rate_is_exact),
    ("columns_rate_of_few", rate_of_few),
];

/// Every power of ten, and the largest numbers.
fn numbers() -> impl Iterator<Item = u64> {
    (0..20)
        .map(|power| 10u64.pow(power))
        .chain([0, u64::MAX - 1, u64::MAX])
}

fn keep_apart() {
    for number in numbers() {
        for width in 0..20 {
            let line = format!(
                "{}{}{}{}",
                Left("name", width),
                Number(Some(number), width),
                Number(None, width),
                Right("head", width)
            );
            let cells: Vec<_> = line.split_whitespace().collect();
            assert_eq!(
                cells,
                ["name", &number.to_string(), "-", "head"],
                "{line:?}"
            );
        }
    }
    // Cells that fit are aligned.
    assert_eq!(
        format!("{}{}", Left("ab", 5), Number(Some(7), 4)),
        "ab      7"
    );
    assert_eq!(format!("{}{}", Number(None, 3), Right("xy", 4)), "  -  xy");
}

fn rate(success: u64, failure: u64) -> String {
    let width = 9;
    let text = format!(
        "{}",
        Rate {
            success,
            failure,
            width
        }
    );
    assert_eq!(text.len(), width, "{success} and {failure}: {text:?}");
    text.trim_start().to_owned()
}

fn rate_is_exact() {
    // With failures among 1.8e14 requests, the rate was wrong once.
    assert_eq!(rate(180_000_000_000_000, 1), "99.999");
    assert_eq!(rate(184_467_440_737_095, 10), "99.999");
    assert_eq!(rate(u64::MAX, 0), "100.000");
    assert_eq!(rate(u64::MAX, 1), "99.999");
    assert_eq!(rate(u64::MAX, u64::MAX), "50.000");
    assert_eq!(rate(u64::MAX - 1, u64::MAX), "49.999");
    assert_eq!(rate(1, u64::MAX), "0.000");
    assert_eq!(rate(0, 1), "0.000");
    assert_eq!(rate(0, 0), "-");
    for success in numbers().filter(|&success| success != 0) {
        assert_eq!(rate(success, 0), "100.000", "{success}");
        for failure in numbers().filter(|&failure| failure != 0) {
            assert_ne!(rate(success, failure), "100.000", "{success} and {failure}");
        }
    }
}

fn rate_of_few() {
    for success in 0..100 {
        for failure in 0..100 {
            if success + failure != 0 {
                let thousandths = success * 100_000 / (success + failure);
                let wanted = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
                assert_eq!(rate(success, failure), wanted, "{success} and {failure}");
            }
        }
    }
}
