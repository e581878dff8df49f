// SPDX-License-Identifier: GPL-2.0

//! One holder of pages: what all exercises do with a batch, whatever their context.

use super::{
    pattern::Pattern,
    settings::MAX_BATCH,
    Settings, //
};
use kernel::prelude::*;
use labyrinth::{
    context::Context,
    pool::{
        Batch,
        Supply, //
    },
    stats::Recorder,
    AllowedIn,
    CallSite,
    Gfp, //
};

/// A batch and the stamps that it should have.
pub(super) struct InFlight<G> {
    batch: Batch<G>,
    recorder: Recorder,
    pattern: Pattern,
}

impl<G: Gfp> InFlight<G> {
    /// Makes a holder without pages. `who` differs between the holders of one series; `caller` is
    /// whom the pages are charged to. Task context only, may sleep.
    pub(super) fn new(gfp: G, recorder: Recorder, who: u32, caller: CallSite) -> Result<Self> {
        Ok(Self {
            batch: Batch::new(MAX_BATCH, gfp, recorder.clone(), caller)?,
            pattern: Pattern::new(recorder.kind() as u8, who),
            recorder,
        })
    }

    /// Begins a cycle: asks `supply` for a batch and writes to every page that it gets. Contexts:
    /// those in which `G` is allowed.
    pub(super) fn begin<C: Context>(&mut self, cx: &C, settings: &Settings, supply: Supply<'_>)
    where
        G: AllowedIn<C>,
    {
        self.recorder.cycle();
        self.batch.set_guarded(settings.guard());
        self.batch.fill(cx, settings.batch(), supply);
        self.pattern.stamp(&mut self.batch);
    }

    /// Ends a cycle: verifies every page and gives all back to `supply`. Contexts: those of
    /// [`Self::begin`].
    pub(super) fn finish<C: Context>(&mut self, cx: &C, supply: Supply<'_>)
    where
        G: AllowedIn<C>,
    {
        self.recorder.corruptions(self.pattern.verify(&self.batch));
        self.batch.clear(cx, supply);
    }
}
