// SPDX-License-Identifier: GPL-2.0

//! The cycles of a timer.

use super::{
    pace::Pace,
    Settings, //
};

/// Where a timer is in its cycle: it begins one, may hold the batch until it expires again, and ends
/// it.
#[derive(Default)]
pub(super) struct Cycle {
    /// While a batch is held: since when the cycle runs, and how long it was to be held.
    holding: Option<(Pace, u32)>,
}

impl Cycle {
    /// Goes on when the timer has expired, by what begins and what ends a cycle of `holder`. Returns
    /// after how many microseconds it is to expire again: when the batch was held long enough, or when
    /// the period is over, but after a rest of at least `share` times what the cycle has worked.
    pub(super) fn expired<H>(
        &mut self,
        settings: &Settings,
        share: u32,
        holder: &mut H,
        begin: impl FnOnce(&mut H),
        finish: impl FnOnce(&mut H),
    ) -> u32 {
        let (pace, held_us) = match self.holding.take() {
            Some(holding) => holding,
            None => {
                let pace = Pace::begin();
                begin(holder);

                let hold_us = settings.hold_us();
                if hold_us != 0 {
                    self.holding = Some((pace, hold_us));
                    return hold_us;
                }
                (pace, 0)
            }
        };
        finish(holder);
        pace.rest_of_us(settings, held_us, share)
    }
}
