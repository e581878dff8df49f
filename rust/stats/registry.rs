// SPDX-License-Identifier: GPL-2.0

//! The registry of statistics.
//!
//! Each owner of statistics describes them in tables of [`Row`]s and registers the tables. Reports
//! read the registry. So reports do not depend on owners, and owners do not depend on reports:
//!
//! ```text
//!   pools, guards, misuse, exercises, drivers ──► Registry ──► reports, reset
//! ```
//!
//! # Reset
//!
//! For each sample of a counter the registry keeps its value at the last reset, the *baseline*, and
//! subtracts it from what it reads. For a histogram it keeps all buckets. So owners need no code
//! for a reset, and the numbers that they count with stay as they are. [`Stats`](super::Stats) is
//! an exception: it resets itself, see [`Stats::reset`](super::Stats::reset).
//!
//! # Drivers that are unloaded
//!
//! The rows' functions are code of the owner's module. The registry calls them with its lock held,
//! and dropping a [`Registration`] takes the lock, so nothing is called after that. A leaked
//! registration has a [`CallbackRegistration`], which keeps the module loaded.
//!
//! # The lock
//!
//! While a task holds the lock, it calls the functions of rows and allocates memory, so the kernel
//! may call a driver's [`Shrink`](crate::mm::Shrink) in the same task. The lock therefore knows its
//! task:
//!
//! - If that task drops a [`Registration`], the entry is only marked as dropped. It is not read any
//!   more, and is removed when the lock has been released.
//! - If that task makes a [`Registration`], a report or a reset, the call fails with `EBUSY`.

use super::{
    latency_histogram,
    row::{
        At,
        Current,
        Head,
        Row,
        Type,
        Value, //
    },
    Kind,
    Latencies, //
};
use crate::ffi::{
    sync::rcu_slot::{
        Publication,
        RcuSlot, //
    },
    unload::{
        is_own,
        CallbackRegistration,
        OwnModule, //
    }, //
};
use core::{
    iter,
    mem, //
};
use kernel::{
    alloc::AllocError,
    fmt,
    new_mutex,
    prelude::*,
    str::CString,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex, //
    },
    task::Task, //
};

/// All statistics that reports show.
#[pin_data]
pub struct Registry {
    #[pin]
    list: Mutex<List>,
    /// The address of the task that holds the lock, or 0. Other tasks may see an old value, but
    /// never their own address.
    holder: Atomic<usize>,
}

struct List {
    /// In the order of their registration.
    entries: KVec<Entry>,
    /// The number of the next entry.
    next: u64,
}

/// The registry that [`Registration::new`] uses.
static PUBLISHED: RcuSlot<Arc<Registry>> = RcuSlot::new();

impl Registry {
    /// Makes an empty registry. Task context only, may sleep. `ENOMEM` if there is no memory.
    pub fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                list <- new_mutex!(List {
                    entries: KVec::new(),
                    next: 0,
                }),
                holder: Atomic::new(0),
            }),
            GFP_KERNEL,
        )
    }

    /// Makes [`Registration::new`] use this registry. Task context only, may sleep. Fails with
    /// `EBUSY` if it uses another one.
    pub fn publish(self: &Arc<Self>) -> Result<Publication<Arc<Self>>> {
        PUBLISHED.publish(self.clone())
    }

    /// Returns the registry that is in use. Any context. `ENODEV` if there is none.
    pub fn current() -> Result<Arc<Self>> {
        PUBLISHED.with(Arc::clone).ok_or(ENODEV)
    }

    /// Reads everything and passes it to `report`: each family once, followed by all of its
    /// samples. Task context only, sleeps.
    ///
    /// No statistics come or go meanwhile. `ENOMEM` if there is no memory; then `report` has not
    /// been called. `EBUSY` where [`Registration::new`] returns it.
    pub fn report(&self, report: &mut dyn Report) -> Result {
        self.with(|list| {
            let mut latencies = Latencies::none()?;
            let ready = list
                .entries
                .iter_mut()
                .try_for_each(|entry| entry.source.refresh());
            if ready.is_ok() {
                list.report(&mut latencies, report);
            }
            for entry in list.entries.iter_mut() {
                entry.source.forget();
            }
            ready
        })
    }

    /// Returns the sum of all samples of one of labyrinth's own counters or gauges. Those that are
    /// read from a [`Snapshot`](super::Snapshot) have no sum. Task context only, sleeps. `EBUSY`
    /// where [`Registration::new`] returns it.
    pub fn total(&self, name: &str) -> Result<u64> {
        self.with(|list| {
            let mut sum: u64 = 0;
            for entry in list.entries.iter().filter(|entry| entry.is_own) {
                for (row, _) in entry.rows().filter(|(_, head)| head.name == name) {
                    entry.each_current(row, |_, current, earlier| {
                        if let Current::Number(number) = current {
                            sum = sum.wrapping_add(since(number, earlier));
                        }
                    });
                }
            }
            Ok(sum)
        })
    }

    /// Counts from zero again: all counters and all latencies, for all drivers. Gauges stay as they
    /// are. Task context only, sleeps.
    ///
    /// An event that happens while this runs may count for the time before the reset, or for the
    /// time after it. Fails with `ENOMEM` if there is no memory; then nothing has changed. `EBUSY`
    /// where [`Registration::new`] returns it.
    pub fn reset(&self, _own_module: OwnModule) -> Result {
        self.with(|list| {
            // Only this can fail. There is one source that resets itself.
            for entry in list.entries.iter_mut() {
                entry.source.reset()?;
            }
            for entry in list.entries.iter_mut() {
                entry.set_baseline();
            }
            Ok(())
        })
    }

    /// Runs `work` with the lock. `EBUSY` if this task holds it already.
    fn with<R>(&self, work: impl FnOnce(&mut List) -> Result<R>) -> Result<R> {
        if self.is_held_by_this_task() {
            return Err(EBUSY);
        }
        let result = {
            let mut list = self.list.lock();
            self.holder.store(this_task(), Relaxed);
            let result = work(&mut list);
            self.holder.store(0, Relaxed);
            result
        };
        while self.remove(Entry::is_dropped) {}
        result
    }

    fn is_held_by_this_task(&self) -> bool {
        self.holder.load(Relaxed) == this_task()
    }

    /// Removes the first entry that `which` chooses. Returns whether there was one. This task must
    /// not hold the lock.
    fn remove(&self, which: impl FnMut(&Entry) -> bool) -> bool {
        let removed = {
            let mut list = self.list.lock();
            let place = list.entries.iter().position(which);
            place.and_then(|place| list.entries.remove(place).ok())
        };
        // Its owner may be dropped at the end, without the lock.
        removed.is_some()
    }
}

fn this_task() -> usize {
    Task::current_raw().addr()
}

impl List {
    /// Reports everything. `latencies` is scratch space.
    fn report(&self, latencies: &mut Latencies, report: &mut dyn Report) {
        for (number, first) in self.entries.iter().enumerate() {
            let same = |other: &&Entry| other.has_tables_of(first);
            let (before, from_here) = self.entries.split_at(number);
            // Their samples were shown together with those of the first one.
            if before.iter().any(|entry| same(&entry)) {
                continue;
            }
            for (row, head) in first.rows() {
                let family = Family {
                    prefix: first.prefix(),
                    head,
                };
                report.family(&family);
                for entry in from_here.iter().filter(same) {
                    entry.each_current(row, |at, current, earlier| {
                        let value = match current {
                            Current::Nothing => return,
                            Current::Number(number) => Value::Number(since(number, earlier)),
                            Current::Latencies(latencies) => Value::Latencies(latencies),
                            Current::Histogram(histogram) => {
                                latencies.set(histogram, earlier);
                                Value::Latencies(latencies)
                            }
                        };
                        let labels = Labels {
                            instance: entry.instance(),
                            kinds: entry.source.kinds(),
                            head,
                            at,
                        };
                        report.sample(&family, &labels, value);
                    });
                }
            }
        }
    }

    /// Checks that reports can show an entry beside the others.
    fn check(&self, new: &Entry) -> Result {
        for old in self.entries.iter().filter(|entry| !entry.is_dropped()) {
            if old.has_tables_of(new) {
                if old.instance() == new.instance() {
                    return Err(EEXIST);
                }
                continue;
            }
            for (_, head) in new.rows() {
                let name = |other| old.name_of(other).eq(new.name_of(head));
                if old.rows().any(|(_, other)| name(other)) {
                    return Err(EEXIST);
                }
            }
        }
        Ok(())
    }
}

/// One registration.
///
/// The order of the fields matters: the source is dropped before the callback.
struct Entry {
    number: u64,
    /// The beginning of all names.
    prefix: CString,
    is_own: bool,
    /// A label of all samples.
    instance: Option<(CString, CString)>,
    source: KBox<dyn Source>,
    /// The values at the last reset of each sample of each counter and histogram, in the order of
    /// the tables. Empty if the source resets itself.
    baseline: KVVec<u64>,
    /// Whether the registration was dropped by the task that held the lock.
    is_dropped: Arc<Atomic<bool>>,
    _callback: CallbackRegistration,
}

impl Entry {
    fn prefix(&self) -> &str {
        self.prefix.to_str().unwrap_or("")
    }

    fn instance(&self) -> Option<(&str, &str)> {
        let (name, value) = self.instance.as_ref()?;
        Some((name.to_str().ok()?, value.to_str().ok()?))
    }

    fn name_of<'a>(&'a self, head: &'a Head) -> impl Iterator<Item = u8> + use<'a> {
        Iterator::chain(self.prefix().bytes(), head.name.bytes())
    }

    fn has_tables_of(&self, other: &Self) -> bool {
        self.tables().eq(other.tables())
    }

    fn tables(&self) -> impl Iterator<Item = Table> + use<'_> {
        (0..).map_while(|table| self.source.table(table))
    }

    fn is_dropped(&self) -> bool {
        self.is_dropped.load(Relaxed)
    }

    /// Returns the number and the head of each row.
    fn rows(&self) -> impl Iterator<Item = (usize, &'static Head)> + use<'_> {
        (0..).map_while(|row| Some((row, self.source.head(row)?)))
    }

    /// Calls `work` with each sample of a row: its place, its current value and its baseline.
    fn each_current(&self, row: usize, mut work: impl FnMut(At, Current<'_>, &[u64])) {
        let Some(head) = self.source.head(row) else {
            return;
        };
        let rows = self.rows().take(row);
        let before: usize = rows.map(|(_, head)| all_numbers(&*self.source, head)).sum();
        let numbers = numbers(&*self.source, head);
        for (sample, at) in head.samples(self.source.kinds()).enumerate() {
            let first = before + sample * numbers;
            let earlier = self.baseline.get(first..first + numbers);
            // The function of a row may drop the registration.
            if !self.is_dropped() {
                work(at, self.source.current(row, at), earlier.unwrap_or(&[]));
            }
        }
    }

    /// Makes the current values the baseline.
    fn set_baseline(&mut self) {
        let Self {
            source,
            baseline,
            is_dropped,
            ..
        } = self;
        let mut rest = &mut baseline[..];
        let heads = (0..).map_while(|row| Some((row, source.head(row)?)));
        for (row, head) in heads {
            let numbers = numbers(&**source, head);
            for at in head.samples(source.kinds()) {
                let Some((earlier, others)) = mem::take(&mut rest).split_at_mut_checked(numbers)
                else {
                    return;
                };
                rest = others;
                let Some((last, buckets)) = earlier.split_last_mut() else {
                    break;
                };
                if is_dropped.load(Relaxed) {
                    return;
                }
                match source.current(row, at) {
                    Current::Number(value) => *last = value,
                    Current::Histogram(histogram) => *last = histogram.read(buckets),
                    Current::Nothing | Current::Latencies(_) => {}
                }
            }
        }
    }
}

/// Returns how many numbers the baseline of each sample of a row has.
fn numbers(source: &dyn Source, head: &Head) -> usize {
    match head.kind {
        _ if source.resets_itself() => 0,
        Type::Counter => 1,
        Type::Gauge => 0,
        Type::Histogram { .. } => latency_histogram::NUMBERS,
    }
}

/// Returns how many numbers the baseline of all samples of a row has.
fn all_numbers(source: &dyn Source, head: &'static Head) -> usize {
    match numbers(source, head) {
        0 => 0,
        numbers => numbers * head.samples(source.kinds()).count(),
    }
}

/// Returns how much a number has grown since it was `earlier`, if it has a baseline.
fn since(number: u64, earlier: &[u64]) -> u64 {
    number.saturating_sub(earlier.first().copied().unwrap_or(0))
}

/// The place of a table in memory, which tells tables apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    address: *const c_void,
    /// A slice of a table may begin at the same address, but has fewer rows.
    rows: usize,
}

/// An owner with its tables.
pub(super) trait Source: Send {
    /// Returns the place of a table.
    fn table(&self, number: usize) -> Option<Table>;

    /// Returns the head of a row.
    fn head(&self, row: usize) -> Option<&'static Head>;

    /// Returns the address of a row's function.
    fn code(&self, row: usize) -> Option<*const c_void>;

    /// Reads a sample.
    fn current(&self, row: usize, at: At) -> Current<'_>;

    /// Returns the series of the owner.
    fn kinds(&self) -> &'static [Kind] {
        &[]
    }

    /// Returns whether the owner resets its numbers itself, so that they need no baseline.
    fn resets_itself(&self) -> bool {
        false
    }

    /// Resets the numbers of such an owner. On an error nothing has changed.
    fn reset(&mut self) -> Result {
        Ok(())
    }

    /// Prepares for a report.
    fn refresh(&mut self) -> Result {
        Ok(())
    }

    /// Ends a report.
    fn forget(&mut self) {}
}

/// The tables of an owner.
pub(super) struct Tables<T: 'static>(KVec<&'static [Row<T>]>);

impl<T> Tables<T> {
    /// Joins two lists of tables. Task context only, may sleep.
    pub(super) fn new(
        some: &[&'static [Row<T>]],
        more: &[&'static [Row<T>]],
    ) -> Result<Self, AllocError> {
        let mut tables = KVec::with_capacity(some.len() + more.len(), GFP_KERNEL)?;
        // An empty table may be at any address.
        for table in Iterator::chain(some.iter(), more).filter(|table| !table.is_empty()) {
            tables.push(*table, GFP_KERNEL)?;
        }
        Ok(Self(tables))
    }

    /// Returns the place of a table.
    pub(super) fn table(&self, number: usize) -> Option<Table> {
        self.0.get(number).map(|table| Table {
            address: table.as_ptr().cast(),
            rows: table.len(),
        })
    }

    /// Returns the row with a number, over all tables.
    pub(super) fn row(&self, number: usize) -> Option<&'static Row<T>> {
        self.0.iter().flat_map(|table| table.iter()).nth(number)
    }
}

/// An owner whose rows are read as they are.
struct Plain<T: 'static> {
    tables: Tables<T>,
    owner: Arc<T>,
}

impl<T> Plain<T> {
    /// Code of the module that this is instantiated in.
    fn anchor() {}
}

impl<T: Send + Sync> Source for Plain<T> {
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
        let row = self.tables.row(number);
        row.map_or(Current::Nothing, |row| row.current(&self.owner, at))
    }
}

/// Statistics that reports show as long as this value exists. Dropping it waits for reports that
/// are being made: task context only, sleeps.
///
/// The task that makes a report cannot wait for it. If that task drops this value, in a function of
/// a row or in a [`Report`], the rows are not read any more, and their owner is dropped when the
/// report is done.
///
/// A report holds a lock while it calls these functions and allocates memory. All other tasks take
/// that lock to make or drop this value. If they hold another lock meanwhile that one of these
/// functions or a [`Shrink`](crate::mm::Shrink) takes, both wait for ever. A
/// [`Shrink`](crate::mm::Shrink) should not drop this value: `kswapd` would wait for the report,
/// which may wait for memory.
///
/// If this value is leaked, the module that has the tables cannot be unloaded.
pub struct Registration {
    registry: Arc<Registry>,
    number: u64,
    is_dropped: Arc<Atomic<bool>>,
}

impl Registration {
    /// Makes reports show and reset the rows in `tables`, which are read from `owner`. Task context
    /// only, may sleep.
    ///
    /// The names in reports begin with `labyrinth_`. For drivers the name of the driver's module
    /// follows, as in `labyrinth_my_driver_packets_total`.
    ///
    /// An owner that exists more than once registers the same tables for each of them, with another
    /// `instance`: the name and the value of one more label.
    ///
    /// Fails with
    ///
    /// - `EINVAL` for a name that reports cannot show, for more than three labels, 4096 samples or
    ///   64 histograms of a row, for a label that has a value twice, and if tables and functions
    ///   are not all in the same module (a table on the heap is in none),
    /// - `EEXIST` if there are rows of that name, also in these tables, or the same instance,
    /// - `EBUSY` in a function of a row, in a [`Report`], and in a [`Shrink`](crate::mm::Shrink)
    ///   that the task of a report runs,
    /// - `ENODEV` if labyrinth is being loaded or unloaded,
    /// - `ENOMEM` if there is no memory.
    ///
    /// For `EINVAL` and `EEXIST` the kernel log names a row of a driver, and the rule. The kernel's
    /// module loader turns an `EEXIST` of `init` into `EBUSY`.
    pub fn new<T: Send + Sync + 'static>(
        tables: &[&'static [Row<T>]],
        instance: Option<(&str, &str)>,
        owner: Arc<T>,
    ) -> Result<Self> {
        let tables = Tables::new(tables, &[])?;
        let source = KBox::new(Plain { tables, owner }, GFP_KERNEL)?;
        Self::of(source, Plain::<T>::anchor as *const c_void, instance)
    }

    /// Like [`Self::new`], for rows that read statics.
    pub fn of_statics(tables: &[&'static [Row<()>]]) -> Result<Self> {
        Self::new(tables, None, Arc::new((), GFP_KERNEL)?)
    }

    /// Registers a source. `code` is code of the module that has the methods of the source: that of
    /// the tables, or labyrinth.
    #[inline(never)]
    pub(super) fn of(
        source: KBox<dyn Source>,
        code: *const c_void,
        instance: Option<(&str, &str)>,
    ) -> Result<Self> {
        let table = source.table(0).ok_or(EINVAL)?;
        let callback = CallbackRegistration::new(table.address)?;
        let kinds = source.kinds();
        let heads = || (0..).map_while(|row| source.head(row));
        let mut tables = (0..).map_while(|table| source.table(table));
        let functions = (0..).map_while(|row| source.code(row));
        if !tables.all(|table| callback.is_for(table.address))
            || !Iterator::chain(iter::once(code), functions)
                .all(|code| callback.is_for(code) || is_own(code))
        {
            if !is_own(table.address) {
                pr_err!("statistics: tables and functions must be in the same module\n");
            }
            return Err(EINVAL);
        }
        let label = instance.map(|(name, _)| name);
        if let Some(head) = heads().find(|head| !head.is_valid(label, kinds)) {
            refused(
                table.address,
                head,
                "its name or its labels break a rule of `stats::Row`",
            );
            return Err(EINVAL);
        }
        let is_earlier = |number, name| heads().take(number).any(|other| other.name == name);
        if let Some((_, head)) = heads()
            .enumerate()
            .find(|&(number, head)| is_earlier(number, head.name))
        {
            refused(table.address, head, "it is twice in these tables");
            return Err(EEXIST);
        }
        let numbers = heads().map(|head| all_numbers(&*source, head)).sum();
        let is_own = is_own(table.address);
        let prefix = if is_own {
            c"labyrinth_".try_into()?
        } else {
            let module = callback.module_name(table.address)?;
            CString::try_from_fmt(fmt!("labyrinth_{}_", Plainly(&module)))?
        };
        let copied = |text: &str| CString::try_from_fmt(fmt!("{text}"));
        let instance = match instance {
            Some((name, value)) => Some((copied(name)?, copied(value)?)),
            None => None,
        };
        let is_dropped = Arc::new(Atomic::new(false), GFP_KERNEL)?;
        let mut entry = Some(Entry {
            number: 0,
            prefix,
            is_own,
            instance,
            source,
            baseline: KVVec::from_elem(0, numbers, GFP_KERNEL)?,
            is_dropped: is_dropped.clone(),
            _callback: callback,
        });

        let registry = Registry::current()?;
        // After an error the entry is dropped without the lock.
        let number = registry.with(|list| {
            if let Some(entry) = &entry {
                list.check(entry).inspect_err(|_| {
                    if let Some((_, head)) = entry.rows().next() {
                        let why = "it, or a row beside it, is registered already";
                        refused(table.address, head, why);
                    }
                })?;
            }
            list.entries.reserve(1, GFP_KERNEL)?;
            let number = list.next;
            list.next += 1;
            if let Some(entry) = entry.take() {
                // There is room.
                let _ = list.entries.push_within_capacity(Entry { number, ..entry });
            }
            Ok(number)
        })?;
        Ok(Self {
            registry,
            number,
            is_dropped,
        })
    }
}

/// Logs why a row of a driver is refused. A driver's `insmod` shows only an error number. For its
/// own rows labyrinth needs no line.
fn refused(table: *const c_void, head: &Head, why: &str) {
    if !is_own(table) {
        pr_err!("statistics: row '{}': {why}\n", head.name);
    }
}

impl Drop for Registration {
    #[inline(never)]
    fn drop(&mut self) {
        if self.registry.is_held_by_this_task() {
            self.is_dropped.store(true, Relaxed);
        } else {
            self.registry.remove(|entry| entry.number == self.number);
        }
    }
}

/// The name of a module, with `_` for each character that names of metrics cannot have.
struct Plainly<'a>(&'a CStr);

impl fmt::Display for Plainly<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.to_bytes().iter().try_for_each(|&byte| {
            let plain = byte.is_ascii_alphanumeric();
            write!(f, "{}", if plain { char::from(byte) } else { '_' })
        })
    }
}

/// A format of reports.
pub trait Report {
    /// A family begins: the samples that follow belong to it, up to the next family.
    fn family(&mut self, family: &Family<'_>);

    /// A sample of the family.
    fn sample(&mut self, family: &Family<'_>, labels: &Labels<'_>, value: Value<'_>);
}

/// A row in a report, of one owner or of several.
///
/// It may be a row of a driver, so nothing of it can be kept beyond the report.
pub struct Family<'a> {
    prefix: &'a str,
    head: &'a Head,
}

impl<'a> Family<'a> {
    /// Returns the row.
    pub fn head(&self) -> &'a Head {
        self.head
    }
}

impl fmt::Display for Family<'_> {
    /// Writes the whole name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.prefix, self.head.name)
    }
}

/// The labels of a sample.
pub struct Labels<'a> {
    instance: Option<(&'a str, &'a str)>,
    kinds: &'static [Kind],
    head: &'static Head,
    at: At,
}

impl<'a> Labels<'a> {
    /// Returns the names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let labels = self.head.pairs(self.kinds, self.at);
        #[allow(
            clippy::map_identity,
            reason = "it shortens the lifetime of the labels"
        )]
        let labels = labels.map(|pair| -> (&'a str, &'a str) { pair });
        Iterator::chain(self.instance.into_iter(), labels)
    }
}
