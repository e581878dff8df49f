// SPDX-License-Identifier: GPL-2.0

//! A reserve with a simulated clock: it serves bursts, and a refill thread fills it in chunks.

use crate::logic::{
    allowance::{
        Allowance,
        Available, //
    },
    sizing::{
        AutoReserve,
        Resize,
        Seen,
        Sizing, //
    }, //
};

/// The pages of one refill, and the time that it takes.
const CHUNK: usize = 64;
const CHUNK_US: u64 = 50;

/// A simulated reserve.
pub(super) struct Model {
    sizing: Sizing,
    pub(super) now: u64,
    pub(super) level: usize,
    /// The level at the last observation, and the fewest pages since.
    mark: usize,
    low: usize,
    refused: u64,
    due: Option<u64>,
    /// The memory that is free, if it is limited.
    pub(super) free: Option<usize>,
    pub(super) resizes: Vec<Resize>,
}

impl Model {
    /// Makes a reserve, and fills it up to its least size.
    pub(super) fn new(least: usize, auto: AutoReserve) -> Self {
        let mut model = Self {
            sizing: Sizing::new(least, auto),
            now: 1,
            level: 0,
            mark: 0,
            low: 0,
            refused: 0,
            due: None,
            free: None,
            resizes: Vec::new(),
        };
        model.settle();
        model
    }

    pub(super) fn target(&self) -> usize {
        self.sizing.target()
    }

    pub(super) fn high_water(&self) -> usize {
        self.sizing.last_high_water()
    }

    /// Requests pages, and returns how many of the requests are refused. The pages do not come back.
    pub(super) fn request(&mut self, pages: usize) -> usize {
        let served = pages.min(self.level);
        self.level -= served;
        self.low = self.low.min(self.level);
        self.refused += (pages - served) as u64;
        pages - served
    }

    /// One turn of the refill thread. Returns whether there is more to do.
    pub(super) fn turn(&mut self) -> bool {
        let outcome = self.sizing.observe(&Seen {
            now: self.now,
            level: self.level,
            drawn: self.mark - self.low,
            refused: self.refused,
        });
        (self.mark, self.low) = (self.level, self.level);
        self.due = outcome.due;
        self.resizes
            .extend([outcome.ended, outcome.grown].into_iter().flatten());
        self.now += CHUNK_US;

        let target = self.target();
        if self.level > target {
            let drained = CHUNK.min(self.level - target);
            self.level -= drained;
            self.free = self.free.map(|free| free + drained);
            return true;
        }
        let wanted = CHUNK.min(target - self.level);
        let got = match self.free {
            None => wanted,
            Some(free) => {
                let available = Available {
                    free,
                    reclaimable: 0,
                    at_once: free,
                };
                match available.allowance(self.level) {
                    Allowance::Pages(pages) => wanted.min(pages),
                    Allowance::Later | Allowance::Nothing => 0,
                }
            }
        };
        self.level += got;
        self.free = self.free.map(|free| free - got);
        got != 0
    }

    /// Lets the refill thread work until it has nothing to do.
    pub(super) fn settle(&mut self) {
        while self.turn() {}
    }

    /// A burst, during which the refill thread has `parts - 1` turns. Then the thread settles.
    /// Returns how many requests are refused.
    pub(super) fn burst(&mut self, pages: usize, parts: usize) -> usize {
        let mut refused = 0;
        for part in 0..parts {
            refused += self.request(pages * (part + 1) / parts - pages * part / parts);
            self.turn();
        }
        self.settle();
        refused
    }

    /// Time without requests. The refill thread wakes up as it has planned.
    pub(super) fn calm(&mut self, us: u64) {
        let end = self.now + us;
        while let Some(due) = self.due.filter(|&due| due < end) {
            self.now = self.now.max(due);
            self.settle();
        }
        self.now = self.now.max(end);
    }
}
