// SPDX-License-Identifier: GPL-2.0

//! Where pages come from: so far the buddy allocator, behind statistics.

#![forbid(unsafe_code)]

mod batch;

pub(crate) use batch::Batch;
