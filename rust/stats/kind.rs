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

impl Kind {
    /// Returns the contexts of series, each once, in the order in which they first occur.
    pub(super) fn contexts(kinds: &'static [Self]) -> impl Iterator<Item = &'static str> {
        let all = || kinds.iter().map(|kind| kind.context);
        all()
            .enumerate()
            .filter(move |&(number, context)| all().position(|one| one == context) == Some(number))
            .map(|(_, context)| context)
    }
}
