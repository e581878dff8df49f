// SPDX-License-Identifier: GPL-2.0

//! Statistics as data: a row for each, with its name, its help text, its labels and the function
//! that reads it.

use super::{
    Kind,
    Latencies,
    LatencyHistogram, //
};
use core::slice;
use kernel::prelude::*;

/// How many labels a row may have.
pub const MAX_LABELS: usize = 3;

/// The maximum number of samples of a row. A report reads them all while it holds a lock.
const MAX_SAMPLES: usize = 4096;

/// The maximum number of samples of a row that are histograms, each of which has some hundred
/// numbers.
const MAX_HISTOGRAMS: usize = 64;

/// The position of a sample in its row: for each label of the row, the index of its value, and 0
/// beyond the last label.
pub type At = [usize; MAX_LABELS];

/// A label and all of its values. A row has a sample for each value, or for each combination of the
/// values if it has several labels.
#[derive(Clone, Copy)]
pub struct Label(Values);

#[derive(Clone, Copy)]
enum Values {
    /// The name of the label, and its values.
    Named(&'static str, &'static [&'static str]),
    /// The labels of each series of the owner.
    Series,
    /// The contexts of these series, each once.
    Contexts,
}

impl Label {
    /// The labels `context` and `gfp` of each series. For rows of a [`Snapshot`](super::Snapshot).
    pub(super) const SERIES: Self = Self(Values::Series);

    /// The label `context`, with each context that a series has. For rows of a
    /// [`Snapshot`](super::Snapshot).
    pub(super) const CONTEXTS: Self = Self(Values::Contexts);

    /// Makes a label. The name has lower case letters, digits and `_`, and begins with a letter.
    pub const fn new(name: &'static str, values: &'static [&'static str]) -> Self {
        Self(Values::Named(name, values))
    }

    fn names(&'static self) -> &'static [&'static str] {
        match &self.0 {
            Values::Named(name, _) => slice::from_ref(name),
            Values::Series => &["context", "gfp"],
            Values::Contexts => &["context"],
        }
    }

    fn has_each_value_once(&self) -> bool {
        match self.0 {
            Values::Named(_, values) => values
                .iter()
                .enumerate()
                .all(|(index, value)| !values[..index].contains(value)),
            Values::Series | Values::Contexts => true,
        }
    }

    /// Returns how many values there are for an owner with these series.
    fn len(&self, kinds: &'static [Kind]) -> usize {
        match self.0 {
            Values::Named(_, values) => values.len(),
            Values::Series => kinds.len(),
            Values::Contexts => Kind::contexts(kinds).count(),
        }
    }

    /// Returns names and values for an index.
    fn pairs(
        &'static self,
        kinds: &'static [Kind],
        index: usize,
    ) -> impl Iterator<Item = (&'static str, &'static str)> {
        let [first, second] = match self.0 {
            Values::Named(_, values) => [values.get(index).copied(), None],
            Values::Series => {
                let kind = kinds.get(index);
                [kind.map(|kind| kind.context), kind.map(|kind| kind.gfp)]
            }
            Values::Contexts => [Kind::contexts(kinds).nth(index), None],
        };
        let values = Iterator::chain(first.into_iter(), second);
        self.names().iter().copied().zip(values)
    }
}

/// Makes the [`Label`] that has the names of all variants of an enum as its values.
macro_rules! label {
    ($name:literal, $of:ty) => {
        $crate::stats::Label::new($name, &const { $crate::stats::names!($of) })
    };
}
pub(crate) use label;

/// The names of all variants of an enum.
macro_rules! names {
    ($of:ty) => {{
        let mut names = [""; <$of>::COUNT];
        let mut i = 0;
        while i < names.len() {
            names[i] = <$of>::ALL[i].name();
            i += 1;
        }
        names
    }};
}
pub(crate) use names;

/// The type of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A number that only grows, until it is reset.
    Counter,
    /// A number that can grow and shrink: a level, a limit or a setting. It is never reset.
    Gauge,
    /// Latencies.
    Histogram {
        /// The distance of one edge to the next in reports, in powers of two; at least 1.
        step: usize,
    },
}

impl Type {
    /// Returns how many samples a row of this type may have.
    fn max_samples(self) -> usize {
        match self {
            Self::Counter | Self::Gauge => MAX_SAMPLES,
            Self::Histogram { .. } => MAX_HISTOGRAMS,
        }
    }
}

/// A row without its function, for reports.
pub struct Head {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: Type,
    pub(super) nanos: bool,
    pub(super) labels: &'static [Label],
}

impl Head {
    /// Returns the name.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Returns the help text.
    pub fn help(&self) -> &str {
        self.help
    }

    /// Returns the type.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// Returns whether the numbers are nanoseconds.
    pub fn is_nanos(&self) -> bool {
        self.nanos
    }

    /// Returns all samples for an owner with these series. The last label changes fastest.
    pub(super) fn samples(&'static self, kinds: &'static [Kind]) -> impl Iterator<Item = At> {
        let count: usize = self.labels.iter().map(|label| label.len(kinds)).product();
        (0..count).map(move |mut number| {
            let mut at = [0; MAX_LABELS];
            for (index, label) in at.iter_mut().zip(self.labels).rev() {
                // There are samples, so each label has values.
                let values = label.len(kinds).max(1);
                *index = number % values;
                number /= values;
            }
            at
        })
    }

    /// Returns the names and values of the labels of a sample.
    pub(super) fn pairs(
        &'static self,
        kinds: &'static [Kind],
        at: At,
    ) -> impl Iterator<Item = (&'static str, &'static str)> {
        let labels = self.labels.iter().zip(at);
        labels.flat_map(move |(label, index)| label.pairs(kinds, index))
    }

    /// Returns whether reports can show the row with one more label. All names must be valid names
    /// of metrics. No label, and no value of a label, may occur twice. The name of the row must end
    /// in its unit, and must not end like the name of a sample. The number of samples is limited.
    pub(super) fn is_valid(&'static self, further: Option<&str>, kinds: &'static [Kind]) -> bool {
        const RESERVED: [&str; 6] = ["_total", "_created", "_bucket", "_count", "_sum", "_info"];

        let own = || self.labels.iter().flat_map(Label::names).copied();
        let labels = || Iterator::chain(own().map(|name| -> &str { name }), further);
        let once = |name: &str| labels().filter(|&other| other == name).count() == 1;
        let samples = |labels: &[Label]| {
            labels.iter().try_fold(1_usize, |product, label| {
                product.checked_mul(label.len(kinds))
            })
        };
        self.labels.len() <= MAX_LABELS
            && is_name(self.name)
            && (!self.nanos || self.name.ends_with("_seconds"))
            && samples(self.labels).is_some_and(|number| number <= self.kind.max_samples())
            && self.labels.iter().all(Label::has_each_value_once)
            && !RESERVED.iter().any(|end| self.name.ends_with(end))
            && labels().all(|name| is_name(name) && once(name))
    }
}

/// Returns whether reports can show a name.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.bytes().all(plain) && name.starts_with(|first: char| first.is_ascii_lowercase())
}

/// One statistic of an owner `T`, or several that differ by their labels. [`LatencyHistogram`] has
/// an example with latencies.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, sync::{atomic::{Atomic, Relaxed}, Arc}};
/// use labyrinth::stats::{Label, Registration, Row};
///
/// struct Queues([Atomic<u64>; 2]);
///
/// static ROWS: [Row<Queues>; 1] = [Row::counter(
///     "packets",
///     "Packets that came in.",
///     &[Label::new("queue", &["rx", "tx"])],
///     |queues, [queue, ..]| queues.0[queue].load(Relaxed),
/// )];
///
/// fn show(queues: Arc<Queues>) -> Result<Registration> {
///     Registration::new(&[&ROWS], None, queues)
/// }
/// ```
pub struct Row<T> {
    head: Head,
    read: Read<T>,
}

enum Read<T> {
    Number(fn(&T, At) -> u64),
    Optional(fn(&T, At) -> Option<u64>),
    Latencies(fn(&T, At) -> Option<&Latencies>),
    Histogram(fn(&T, At) -> Option<&LatencyHistogram>),
}

/// The current value of a sample, before what it was at the last reset is subtracted.
pub(super) enum Current<'a> {
    /// There is none now.
    Nothing,
    /// A number.
    Number(u64),
    /// Latencies of an owner that resets them itself.
    Latencies(&'a Latencies),
    /// Latencies.
    Histogram(&'a LatencyHistogram),
}

impl<T> Row<T> {
    /// Makes a row for a number that only grows. `name` has lower case letters, digits and `_`, and
    /// begins with a letter; reports add `_total` to it. `help` is a sentence.
    ///
    /// `read` is called in task context, and may sleep. It is called for each combination of the
    /// labels' values.
    pub const fn counter(
        name: &'static str,
        help: &'static str,
        labels: &'static [Label],
        read: fn(&T, At) -> u64,
    ) -> Self {
        Self::new(name, help, Type::Counter, labels, Read::Number(read))
    }

    /// Makes a row for a number that can shrink, otherwise as [`Self::counter`].
    pub const fn gauge(
        name: &'static str,
        help: &'static str,
        labels: &'static [Label],
        read: fn(&T, At) -> u64,
    ) -> Self {
        Self::new(name, help, Type::Gauge, labels, Read::Number(read))
    }

    /// Makes a row for numbers that need not exist.
    pub(crate) const fn optional(
        name: &'static str,
        help: &'static str,
        labels: &'static [Label],
        read: fn(&T, At) -> Option<u64>,
    ) -> Self {
        Self::new(name, help, Type::Gauge, labels, Read::Optional(read))
    }

    /// Makes a row for latencies, otherwise as [`Self::counter`]. The name must end in `_seconds`,
    /// because that is the unit in reports. `read` returns a histogram of the owner, or `None` if
    /// reports should leave the sample out. A row has at most 64 histograms.
    pub const fn histogram(
        name: &'static str,
        help: &'static str,
        labels: &'static [Label],
        read: fn(&T, At) -> Option<&LatencyHistogram>,
    ) -> Self {
        let kind = Type::Histogram { step: 1 };
        Self::new(name, help, kind, labels, Read::Histogram(read)).nanos()
    }

    /// Makes a row for the latencies of a snapshot. `step` is that of [`Type::Histogram`].
    pub(crate) const fn latencies(
        name: &'static str,
        help: &'static str,
        labels: &'static [Label],
        step: usize,
        read: fn(&T, At) -> Option<&Latencies>,
    ) -> Self {
        let kind = Type::Histogram { step };
        Self::new(name, help, kind, labels, Read::Latencies(read)).nanos()
    }

    const fn new(
        name: &'static str,
        help: &'static str,
        kind: Type,
        labels: &'static [Label],
        read: Read<T>,
    ) -> Self {
        Self {
            head: Head {
                name,
                help,
                kind,
                nanos: false,
                labels,
            },
            read,
        }
    }

    /// Says that the numbers are nanoseconds. Reports show seconds, so the name must end in
    /// `_seconds`.
    pub const fn nanos(mut self) -> Self {
        self.head.nanos = true;
        self
    }

    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// Returns the address of the function.
    pub(super) fn code(&self) -> *const c_void {
        match self.read {
            Read::Number(read) => read as *const _,
            Read::Optional(read) => read as *const _,
            Read::Latencies(read) => read as *const _,
            Read::Histogram(read) => read as *const _,
        }
    }

    /// Reads a sample.
    pub(super) fn current<'a>(&self, owner: &'a T, at: At) -> Current<'a> {
        match self.read {
            Read::Number(read) => Current::Number(read(owner, at)),
            Read::Optional(read) => read(owner, at).map_or(Current::Nothing, Current::Number),
            Read::Latencies(read) => read(owner, at).map_or(Current::Nothing, Current::Latencies),
            Read::Histogram(read) => read(owner, at).map_or(Current::Nothing, Current::Histogram),
        }
    }
}

/// The value of a sample in a report.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// A number.
    Number(u64),
    /// A histogram. One of a driver has no extremes and no percentiles.
    Latencies(&'a Latencies),
}
