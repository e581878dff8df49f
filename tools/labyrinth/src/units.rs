// SPDX-License-Identifier: GPL-2.0

//! Numbers with their units.

use std::time::Duration;

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

/// Parses a time such as 50us, 1.5ms or 2s. A number without a unit means ns.
pub fn parse_nanoseconds(text: &str) -> Result<u64, String> {
    parse(
        text,
        &[
            ("ns", 1),
            ("us", 1_000),
            ("µs", 1_000),
            ("ms", 1_000_000),
            ("s", 1_000_000_000),
            ("", 1),
        ],
    )
}

/// Parses a time such as 10s, 5m, 2h or 1d. A number without a unit means seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let units = [
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
        ("", 1_000_000_000),
    ];
    parse(text, &units).map(Duration::from_nanos)
}

fn parse(text: &str, units: &[(&str, u64)]) -> Result<u64, String> {
    let names = || {
        units
            .iter()
            .map(|&(name, _)| name)
            .filter(|name| !name.is_empty())
    };
    let number_ends = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(number_ends);
    let size = units.iter().find(|&&(name, _)| name == unit);
    let number = number.parse::<f64>().ok();
    let (Some(&(_, size)), Some(number)) = (size, number) else {
        let names: Vec<&str> = names().collect();
        return Err(format!(
            "'{text}' is no time; it is a number and one of {}",
            names.join(", ")
        ));
    };
    let value = number * size as f64;

    // Beyond this, an f64 does not have all numbers.
    if value > (1u64 << 53) as f64 {
        return Err(format!("'{text}' is too long"));
    }
    Ok(value.round() as u64)
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
    use super::{bytes, counted, nanoseconds, parse_duration, parse_nanoseconds};
    use std::time::Duration;

    #[test]
    fn times_are_parsed() {
        assert_eq!(parse_nanoseconds("50us"), Ok(50_000));
        assert_eq!(parse_nanoseconds("1.5ms"), Ok(1_500_000));
        assert_eq!(parse_nanoseconds("7"), Ok(7));
        assert_eq!(parse_duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(parse_duration("3"), Ok(Duration::from_secs(3)));
        for text in ["", "s", "-1s", "1e3", "1.2.3s", "5 s", "9999999999d", "1y"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

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
