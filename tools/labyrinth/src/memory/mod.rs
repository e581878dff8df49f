// SPDX-License-Identifier: GPL-2.0

//! What the kernel says of its free memory.

pub mod buddyinfo;
pub mod pagetypeinfo;
pub mod zoneinfo;
