// SPDX-License-Identifier: GPL-2.0

//! Divides the rows of a screen among its parts.

/// Divides the rows among the parts. Each part has a least and a wanted number of rows. All parts
/// get their least number first. The other rows go to the parts in order, up to the wanted numbers.
pub(super) fn share<const N: usize>(rows: u16, parts: [(u16, u16); N]) -> [u16; N] {
    let mut left = rows;
    let mut take = |wanted: u16| {
        let got = wanted.min(left);
        left -= got;
        got
    };
    let mut shares = parts.map(|(least, _)| take(least));

    for (share, (_, wanted)) in shares.iter_mut().zip(parts) {
        *share += take(wanted.saturating_sub(*share));
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn the_first_get_what_they_want() {
        assert_eq!(share(10, [(1, 1), (2, 6), (1, 9)]), [1, 6, 3]);
        assert_eq!(share(3, [(1, 1), (2, 6), (1, 9)]), [1, 2, 0]);
        assert_eq!(share(0, [(1, 1), (2, 6)]), [0, 0]);
        assert_eq!(share(100, [(1, 1), (0, 6)]), [1, 6]);
    }
}
