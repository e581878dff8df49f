// SPDX-License-Identifier: GPL-2.0

//! Numbers in text, parsed by the kernel's rules.
//!
//! C header: [`include/linux/kstrtox.h`](srctree/include/linux/kstrtox.h)

use kernel::{
    bindings,
    error::to_result,
    prelude::*, //
};

/// Parses an unsigned decimal number: digits, with an optional leading `+` and trailing newline.
///
/// Any context. Returns `EINVAL` for anything else (also for negative numbers and empty text), and
/// `ERANGE` for a number that does not fit into 64 bits.
pub fn parse_u64(text: &CStr) -> Result<u64> {
    let mut value = 0;
    // SAFETY: `text` is NUL-terminated and `value` may be written.
    to_result(unsafe { bindings::kstrtoull(text.as_char_ptr(), 10, &mut value) })?;
    Ok(value)
}
