// SPDX-License-Identifier: GPL-2.0

//! Numbers with their units.

/// Returns a number of bytes, in KiB, MiB or GiB, with at most one digit after the point.
pub fn bytes(bytes: u64) -> String {
    scaled(
        bytes,
        &[
            ("B", 1),
            ("KiB", 1 << 10),
            ("MiB", 1 << 20),
            ("GiB", 1 << 30),
            ("TiB", 1 << 40),
        ],
    )
}

/// Returns a time in ns, µs, ms or s, with at most one digit after the point.
pub fn nanoseconds(ns: u64) -> String {
    scaled(
        ns,
        &[
            ("ns", 1),
            ("µs", 1_000),
            ("ms", 1_000_000),
            ("s", 1_000_000_000),
        ],
    )
}

/// Returns `count` and the noun, in the plural unless the count is 1.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn scaled(value: u64, units: &[(&str, u64)]) -> String {
    let &(unit, size) = units
        .iter()
        .rev()
        .find(|&&(_, size)| value >= size)
        .unwrap_or(&units[0]);
    let tenths = (u128::from(value) * 10 + u128::from(size) / 2) / u128::from(size);

    if tenths % 10 == 0 {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, counted, nanoseconds};

    #[test]
    fn numbers_have_units() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(4096), "4 KiB");
        assert_eq!(bytes(1536 << 10), "1.5 MiB");
        assert_eq!(nanoseconds(1_250), "1.3 µs");
        assert_eq!(nanoseconds(u64::MAX), "18446744073.7 s");
        assert_eq!(counted(1, "page"), "1 page");
        assert_eq!(counted(0, "page"), "0 pages");
    }
}
