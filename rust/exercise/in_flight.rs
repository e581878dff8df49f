// SPDX-License-Identifier: GPL-2.0

//! One holder of pages: what all exercises do with a batch, whatever their context.

use super::{
    pattern::Pattern,
    settings::MAX_BATCH,
    Settings, //
};
use kernel::prelude::*;
use labyrinth::{
    context::{
        Context,
        PlainAlloc, //
    },
    pool::{
        Batch,
        Pool,
        Supply, //
    },
    stats::{
        Event,
        Recorder, //
    },
    AllowedIn,
    CallSite,
    Gfp,
    GfpNoLock, //
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

    /// Begins a cycle: asks `supply` for a batch and writes to every page that it gets.
    pub(super) fn begin<C: PlainAlloc>(&mut self, cx: &C, settings: &Settings, supply: Supply<'_>)
    where
        G: AllowedIn<C>,
    {
        self.recorder.count(Event::Cycle, 1);
        self.batch.set_guarded(settings.guard());
        self.batch.fill(cx, settings.batch(), supply);
        self.pattern.stamp(&mut self.batch);
    }

    /// Ends a cycle: verifies every page and gives all back to `supply`.
    pub(super) fn finish<C: PlainAlloc>(&mut self, cx: &C, supply: Supply<'_>) {
        self.recorder.corruptions(self.pattern.verify(&self.batch));
        self.batch.clear(cx, supply);
    }
}

impl InFlight<GfpNoLock> {
    /// As [`Self::begin`], in any context but NMI.
    pub(super) fn begin_nolock<C: Context>(
        &mut self,
        cx: &C,
        settings: &Settings,
        supply: Supply<'_>,
    ) {
        self.recorder.count(Event::Cycle, 1);
        self.batch.set_guarded(settings.guard());
        self.batch.fill_nolock(cx, settings.batch(), supply);
        self.pattern.stamp(&mut self.batch);
    }

    /// As [`Self::finish`], in any context but NMI. What is freed is freed by the pool manager of `pool`.
    pub(super) fn finish_nolock<C: Context>(&mut self, cx: &C, pool: &Pool, supply: Supply<'_>) {
        self.recorder.corruptions(self.pattern.verify(&self.batch));
        self.batch.clear_nolock(cx, pool, supply);
    }
}
