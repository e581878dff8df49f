// SPDX-License-Identifier: GPL-2.0

//! The pages in flight of one side of an exercise: allocated, written to, verified and freed.

use super::{
    control::Resources,
    pattern::Pattern,
    settings::MAX_BATCH,
    side::Step, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};
use labyrinth::{
    context::Context,
    pool::Batch,
    stats::{
        Event,
        Kind,
        Recorder, //
    },
    AllowedIn,
    CallSite,
    Gfp, //
};

/// A batch, and the stamps that its pages should have.
pub(super) struct InFlight<G> {
    batch: Batch<G>,
    recorder: Recorder,
    pattern: Pattern,
    resources: Arc<Resources>,
    /// Whether the pages come from the allocator, whatever the settings say.
    only_buddy: bool,
}

impl<G: Gfp> InFlight<G> {
    /// Makes a value without pages. `number` must differ among those of the exercise that use the
    /// same flags. The pages are charged to `caller`.
    ///
    /// Task context only, may sleep. `ENOENT` if the workload does not name the flags in
    /// [`FLAGS`](super::Workload::FLAGS).
    pub(super) fn new(
        gfp: G,
        resources: &Arc<Resources>,
        number: u32,
        caller: CallSite,
    ) -> Result<Self> {
        let labels = Kind {
            context: resources.row.name,
            gfp: G::NAME,
        };
        let recorder = Recorder::new(resources.stats.clone(), labels)?;
        Ok(Self {
            batch: Batch::new(MAX_BATCH, gfp, recorder.clone(), caller)?,
            pattern: Pattern::new(recorder.number() as u8, number),
            recorder,
            resources: resources.clone(),
            only_buddy: false,
        })
    }

    /// Returns it, changed to take its pages from the allocator whatever the settings say.
    pub(super) fn only_buddy(self) -> Self {
        Self {
            only_buddy: true,
            ..self
        }
    }

    /// Does one step of a cycle. Contexts: those in which `G` is allowed.
    pub(super) fn step<C: Context>(&mut self, cx: &C, step: Step)
    where
        G: AllowedIn<C>,
    {
        let Self {
            batch,
            recorder,
            pattern,
            resources,
            only_buddy,
        } = self;
        let supply = || {
            if *only_buddy {
                resources.allocator()
            } else {
                resources.supply()
            }
        };

        if step != Step::Finish {
            recorder.count(Event::Cycle, 1);
            batch.set_guarded(resources.settings.guard());
            batch.fill(cx, resources.settings.batch(), supply());
            pattern.stamp(batch);
        }
        if step != Step::Begin {
            recorder.corruptions(pattern.verify(batch));
            batch.clear(cx, supply());
        }
    }
}
