// SPDX-License-Identifier: GPL-2.0

//! The labels of a series.

/// The labels of a series, that is, of requests that are counted together.
///
/// The maker of the statistics chooses the series: see [`Stats::new`](super::Stats::new).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The name of the context that pages are requested in.
    pub context: &'static str,
    /// The name of the allocation flags, which is `Gfp::NAME` of their type.
    pub gfp: &'static str,
}
