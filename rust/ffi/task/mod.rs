// SPDX-License-Identifier: GPL-2.0

//! Kernel threads, and how to wake them.

pub(crate) mod thread;
pub(crate) mod waker;
