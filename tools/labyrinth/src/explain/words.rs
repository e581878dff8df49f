// SPDX-License-Identifier: GPL-2.0

//! Numbers and lists in sentences.

use crate::units;

/// Returns a number with a comma between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();

    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns the beginning of a text, of so many bytes at most.
pub fn start(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);

    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Returns a size in KiB as such, for comparison with the log.
pub fn kib(kib: u64) -> String {
    format!("{} KiB", grouped(kib))
}

/// Returns a size in KiB in the unit that suits its magnitude.
pub fn about(kib: u64) -> String {
    units::bytes(kib.saturating_mul(1024))
}

/// Returns "a, b and c".
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Returns "a, b or c".
pub fn either(items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Returns the size of a request in words, such as "4 pages in a row (order 2, 16 KiB)".
pub fn request(order: u32, page_kib: u64) -> String {
    let pages = 1_u64.checked_shl(order).unwrap_or(u64::MAX);
    let size = about(pages.saturating_mul(page_kib));

    if order == 0 {
        format!("1 page (order 0, {size})")
    } else {
        format!("{} pages in a row (order {order}, {size})", grouped(pages))
    }
}

#[cfg(test)]
mod tests {
    use super::{grouped, list, request, start};

    #[test]
    fn numbers_and_lists_are_legible() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        let items = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(list(&items), "a, b and c");
        assert_eq!(list(&items[..1]), "a");
        assert_eq!((start("aä", 2), start("aä", 9)), ("a", "aä"));
        assert_eq!(request(0, 4), "1 page (order 0, 4 KiB)");
        assert_eq!(request(4, 4), "16 pages in a row (order 4, 64 KiB)");
    }
}
