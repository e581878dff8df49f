// SPDX-License-Identifier: GPL-2.0

//! Tests of the parsing of text that is written to the control files.

use crate::ffi::number::parse_u64;
use kernel::prelude::*;

#[kunit_tests(labyrinth_number)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers_pass() {
        assert_eq!(parse_u64(c"0"), Ok(0));
        assert_eq!(parse_u64(c"16\n"), Ok(16));
        assert_eq!(parse_u64(c"+7"), Ok(7));
        assert_eq!(parse_u64(c"007"), Ok(7));
        assert_eq!(parse_u64(c"18446744073709551615"), Ok(u64::MAX));
    }

    #[test]
    fn anything_else_is_invalid() {
        for text in [
            c"", c"\n", c"-1", c"- 1", c" 1", c"1 ", c"1\n\n", c"1 2", c"0x10", c"1e3", c"1.0",
            c"++1", c"+", c"one", c"1,000", c"1\r\n",
        ] {
            assert_eq!(parse_u64(text), Err(EINVAL));
        }
    }

    #[test]
    fn numbers_beyond_64_bits_are_out_of_range() {
        assert_eq!(parse_u64(c"18446744073709551616"), Err(ERANGE));
        assert_eq!(parse_u64(c"99999999999999999999999999"), Err(ERANGE));
    }
}
