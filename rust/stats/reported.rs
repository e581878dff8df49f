// SPDX-License-Identifier: GPL-2.0

//! The statistics as an owner of rows.

use super::{
    registry::{
        Registration,
        Source,
        Table,
        Tables, //
    },
    row::{
        At,
        Current,
        Head,
        Row, //
    },
    series,
    snapshot,
    Kind,
    Snapshot,
    Stats, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

impl Stats {
    /// Makes reports show and reset these statistics, with further rows in `more`. All rows of a
    /// report are read from the same [`Snapshot`]. Task context only, may sleep.
    ///
    /// This is for labyrinth's own statistics: the names of the rows are theirs. Fails with
    /// `EEXIST` for any other, with `EINVAL` for tables of drivers, and otherwise as
    /// [`Registration::new`].
    pub fn register(self: &Arc<Self>, more: &[&'static [Row<Snapshot>]]) -> Result<Registration> {
        let own = [&snapshot::ROWS[..], &series::ROWS];
        let source = Reported {
            stats: self.clone(),
            tables: Tables::new(&own, more)?,
            snapshot: None,
        };
        let source = KBox::new(source, GFP_KERNEL)?;
        Registration::of(source, Self::anchor as *const c_void, None)
    }

    /// Code of labyrinth.
    fn anchor() {}
}

struct Reported {
    stats: Arc<Stats>,
    tables: Tables<Snapshot>,
    /// This is `Some` during a report.
    snapshot: Option<Snapshot>,
}

impl Source for Reported {
    fn table(&self, number: usize) -> Option<Table> {
        self.tables.table(number)
    }

    fn head(&self, number: usize) -> Option<&'static Head> {
        Some(self.tables.row(number)?.head())
    }

    fn code(&self, number: usize) -> Option<*const c_void> {
        Some(self.tables.row(number)?.code())
    }

    fn current(&self, number: usize, at: At) -> Current<'_> {
        match (self.tables.row(number), &self.snapshot) {
            (Some(row), Some(snapshot)) => row.current(snapshot, at),
            _ => Current::Nothing,
        }
    }

    fn kinds(&self) -> &'static [Kind] {
        self.stats.kinds
    }

    fn resets_itself(&self) -> bool {
        true
    }

    fn reset(&mut self) -> Result {
        self.stats.reset()
    }

    fn refresh(&mut self) -> Result {
        self.snapshot = Some(self.stats.snapshot()?);
        Ok(())
    }

    fn forget(&mut self) {
        self.snapshot = None;
    }
}
