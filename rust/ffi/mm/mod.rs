// SPDX-License-Identifier: GPL-2.0

//! Memory: pages, mappings of them, watermarks, and callbacks when memory is short.

pub(crate) mod attribute;
pub(crate) mod bad_memory;
pub(crate) mod call_site;
pub(crate) mod dma;
pub(crate) mod foreign_pages;
pub(crate) mod oom;
pub(crate) mod shrinker;
pub(crate) mod user_map;
pub(crate) mod watermark;
pub(crate) mod zone;
