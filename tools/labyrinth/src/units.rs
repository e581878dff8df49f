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

/// Parses a time such as 50us, 1.5ms or 2s. A unit is needed: with ns as the usual one, a bound
/// that somebody knows from rtla, where it is in µs, would be crossed at once.
pub fn parse_nanoseconds(text: &str) -> Result<u64, String> {
    parse(
        text,
        &[
            ("ns", 1),
            ("us", 1_000),
            ("µs", 1_000),
            ("ms", 1_000_000),
            ("s", 1_000_000_000),
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
            "'{text}' is no time; give one number and one of {}, such as 10{}",
            names.join(", "),
            names[1],
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

/// Returns a number in at most five characters, such as "7", "0.5", "12345", "123k" or "1.2M".
pub fn short(value: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];

    if value < 9.95 && value.fract() != 0.0 {
        return format!("{value:.1}");
    }
    if value < 99_999.5 {
        return format!("{value:.0}");
    }
    // 999.5 or more of a unit rounds up to 1 of the next unit.
    let (size, unit) = UNITS
        .into_iter()
        .find(|(size, _)| value >= 0.9995 * size)
        .unwrap_or((1.0, ""));
    let scaled = value / size;
    if scaled < 9.95 {
        format!("{scaled:.1}{unit}")
    } else {
        format!("{scaled:.0}{unit}")
    }
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
    use super::{bytes, counted, nanoseconds, parse_duration, parse_nanoseconds, short};
    use std::time::Duration;

    #[test]
    fn short_numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (0.04, "0.0"),
            (7.0, "7"),
            (9.94, "9.9"),
            (9.96, "10"),
            (12_345.4, "12345"),
            (99_999.4, "99999"),
            (99_999.6, "100k"),
            (999_499.0, "999k"),
            (999_999.0, "1.0M"),
            (1_234_567.0, "1.2M"),
            (98_765_432.0, "99M"),
            (5e15, "5000T"),
        ];
        for (value, text) in cases {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn times_are_parsed() {
        assert_eq!(parse_nanoseconds("50us"), Ok(50_000));
        assert_eq!(parse_nanoseconds("1.5ms"), Ok(1_500_000));
        assert_eq!(parse_nanoseconds("7ns"), Ok(7));
        assert!(parse_nanoseconds("7").is_err());
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
