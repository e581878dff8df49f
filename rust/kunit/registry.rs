// SPDX-License-Identifier: GPL-2.0

//! Tests of the registry of statistics.

use crate::{
    ffi::unload::OwnModule,
    stats::{
        histogram,
        Family,
        Label,
        Labels,
        LatencyHistogram,
        Registration,
        Registry,
        Report,
        Row,
        Type,
        Value, //
    }, //
};
use core::slice;
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex, //
    },
    time::Delta, //
};

fn reset() -> Result {
    Registry::current()?.reset(OwnModule::FOR_TESTS)
}

/// Two counters and a level.
struct Numbers([Atomic<u64>; 3]);

impl Numbers {
    fn new(numbers: [u64; 3]) -> Result<Arc<Self>> {
        Ok(Arc::new(Self(numbers.map(Atomic::new)), GFP_KERNEL)?)
    }
}

static ROWS: [Row<Numbers>; 2] = [
    Row::counter(
        "kunit_counted",
        "Numbers of a test.",
        &[Label::new("which", &["first", "second"])],
        |numbers, [which, ..]| numbers.0[which].load(Relaxed),
    ),
    Row::gauge("kunit_level", "A level of a test.", &[], |numbers, _| {
        numbers.0[2].load(Relaxed)
    }),
];

/// The part of a report that is about the rows above: the families, and the value of each sample.
#[derive(Default)]
struct Seen {
    families: usize,
    values: [[Option<u64>; 3]; 2],
}

impl Seen {
    fn now() -> Result<Self> {
        let mut seen = Self::default();
        Registry::current()?.report(&mut seen)?;
        Ok(seen)
    }
}

impl Report for Seen {
    fn family(&mut self, family: &Family<'_>) {
        self.families += usize::from(family.head().name().starts_with("kunit_"));
    }

    fn sample(&mut self, family: &Family<'_>, labels: &Labels<'_>, value: Value<'_>) {
        let label = |name| labels.iter().find(|(label, _)| *label == name);
        let number = match family.head().name() {
            "kunit_counted" => usize::from(label("which") == Some(("which", "second"))),
            "kunit_level" => 2,
            _ => return,
        };
        let instance = usize::from(label("instance") == Some(("instance", "b")));
        if let Value::Number(value) = value {
            self.values[instance][number] = Some(value);
        }
    }
}

/// Two histograms, of which one need not be there.
struct Timed([Option<LatencyHistogram>; 2]);

static LATENCIES: [Row<Timed>; 1] = [Row::histogram(
    "kunit_seconds",
    "Latencies of a test.",
    &[Label::new("which", &["first", "second"])],
    |timed, [which, ..]| timed.0[which].as_ref(),
)];

/// The part of a report that is about this row: the number of histograms, and of the first one the
/// number of latencies, their sum, and the number in the bucket of 1000 ns.
#[derive(Default, PartialEq, Eq, Debug)]
struct SeenLatencies(usize, [u64; 3]);

impl SeenLatencies {
    fn now() -> Result<Self> {
        let mut seen = Self::default();
        Registry::current()?.report(&mut seen)?;
        Ok(seen)
    }
}

impl Report for SeenLatencies {
    fn family(&mut self, _family: &Family<'_>) {}

    fn sample(&mut self, family: &Family<'_>, labels: &Labels<'_>, value: Value<'_>) {
        let (head, Value::Latencies(latencies)) = (family.head(), value) else {
            return;
        };
        if head.name() != "kunit_seconds" || head.kind() != (Type::Histogram { step: 1 }) {
            return;
        }
        self.0 += 1;
        if labels.iter().any(|(_, value)| value == "first") {
            let of_1000 = latencies.latency()[histogram::index(1000)];
            self.1 = [latencies.samples(), latencies.latency_sum(), of_1000];
        }
    }
}

/// An owner whose row drops registrations and tries to make one, as the function of a row of a
/// careless driver does.
#[pin_data]
struct Careless {
    #[pin]
    owned: Mutex<[Option<Registration>; 2]>,
    reads: Atomic<u32>,
    refused: Atomic<u32>,
}

impl Careless {
    fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                owned <- new_mutex!([const { None }; 2]),
                reads: Atomic::new(0),
                refused: Atomic::new(0),
            }),
            GFP_KERNEL,
        )
    }

    fn read(&self) -> u64 {
        self.reads.add(1, Relaxed);
        *self.owned.lock() = [None, None];
        let again = [
            Registration::of_statics(&[&EMPTY]).err(),
            reset().err(),
            Seen::now().err(),
        ];
        if again == [Some(EBUSY); 3] {
            self.refused.add(1, Relaxed);
        }
        1
    }
}

static CARELESS: [Row<Careless>; 2] = [
    Row::gauge("kunit_careless", "Careless.", &[], |careless, _| {
        careless.read()
    }),
    Row::gauge("kunit_careless_too", "Careless.", &[], |careless, _| {
        careless.read()
    }),
];

static EMPTY: [Row<()>; 1] = [Row::gauge("kunit_made_in_a_row", "None.", &[], |(), _| 0)];

#[kunit_tests(labyrinth_registry)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_reset_and_levels_are_not() -> Result {
        let (a, b) = (Numbers::new([1, 2, 3])?, Numbers::new([10, 20, 30])?);
        let first = Registration::new(&[&ROWS], Some(("instance", "a")), a.clone())?;
        let second = Registration::new(&[&ROWS], Some(("instance", "b")), b.clone())?;

        let seen = Seen::now()?;
        assert_eq!(seen.families, 2);
        assert_eq!(seen.values[0], [Some(1), Some(2), Some(3)]);
        assert_eq!(seen.values[1], [Some(10), Some(20), Some(30)]);

        reset()?;
        a.0[1].add(5, Relaxed);
        b.0[2].store(7, Relaxed);
        let seen = Seen::now()?;
        assert_eq!(seen.values[0], [Some(0), Some(5), Some(3)]);
        assert_eq!(seen.values[1], [Some(0), Some(0), Some(7)]);

        drop(first);
        let seen = Seen::now()?;
        assert_eq!(seen.families, 2);
        assert_eq!(seen.values[0], [None; 3]);
        assert_eq!(seen.values[1], [Some(0), Some(0), Some(7)]);
        drop(second);
        assert_eq!(Seen::now()?.families, 0);
        Ok(())
    }

    #[test]
    fn what_reports_cannot_show_is_refused() -> Result {
        const fn row(name: &'static str, labels: &'static [Label]) -> Row<()> {
            Row::counter(name, "A row of a test.", labels, |(), _| 0)
        }
        const LABEL: Label = Label::new("which", &["a"]);
        static BAD: [Row<()>; 7] = [
            row("", &[]),
            row("7", &[]),
            row("Capital", &[]),
            row("kunit_total", &[]),
            row("kunit", &[Label::new("le-vel", &["a"])]),
            row("kunit", &[LABEL, LABEL]),
            row("kunit", &[LABEL, LABEL, LABEL, LABEL]),
        ];
        static GOOD: [Row<()>; 1] = [row("kunit", &[LABEL])];
        static OTHER: [Row<()>; 1] = [row("kunit", &[])];

        let refused = |rows: &'static [Row<()>], instance| {
            let owner = Arc::new((), GFP_KERNEL)?;
            Ok::<_, Error>(Registration::new(&[rows], instance, owner).err())
        };
        for bad in &BAD {
            assert_eq!(refused(slice::from_ref(bad), None)?, Some(EINVAL));
        }
        assert_eq!(refused(&GOOD, Some(("which", "b")))?, Some(EINVAL));

        let _registered = Registration::of_statics(&[&GOOD])?;
        assert_eq!(refused(&GOOD, None)?, Some(EEXIST));
        assert_eq!(refused(&OTHER, None)?, Some(EEXIST));
        assert_eq!(refused(&GOOD, Some(("instance", "b")))?, None);
        Ok(())
    }

    #[test]
    fn part_of_a_table_is_another_table() -> Result {
        let owner = || Numbers::new([1, 2, 3]);
        let all = Registration::new(&[&ROWS], Some(("instance", "a")), owner()?)?;
        let part = Registration::new(&[&ROWS[..1]], Some(("instance", "b")), owner()?).err();
        let seen = Seen::now();
        // KUnit ends a test that fails without dropping anything, and a leaked registration would
        // keep the module loaded.
        drop(all);

        let seen = seen?;
        assert_eq!(part, Some(EEXIST));
        assert_eq!(seen.families, 2);
        assert_eq!(seen.values[0], [Some(1), Some(2), Some(3)]);
        assert_eq!(seen.values[1], [None; 3]);
        Ok(())
    }

    #[test]
    fn latencies_are_shown_and_reset() -> Result {
        let timed = Timed([Some(LatencyHistogram::new()?), None]);
        let timed = Arc::new(timed, GFP_KERNEL)?;
        let record = |nanos| {
            if let Some(histogram) = &timed.0[0] {
                histogram.record(Delta::from_nanos(nanos));
            }
        };
        let registration = Registration::new(&[&LATENCIES], None, timed.clone())?;
        let empty = SeenLatencies::now()?;
        [1000, 1000, 7, i64::MAX, -5].map(record);
        let five = SeenLatencies::now()?;
        reset()?;
        let none = SeenLatencies::now()?;
        [1000, 30].map(record);
        let two = SeenLatencies::now()?;
        drop(registration);

        let sum = 2007 + i64::MAX as u64;
        assert_eq!(empty, SeenLatencies(1, [0, 0, 0]));
        assert_eq!(five, SeenLatencies(1, [5, sum, 2]));
        assert_eq!(none, SeenLatencies(1, [0, 0, 0]));
        assert_eq!(two, SeenLatencies(1, [2, 1030, 1]));
        assert_eq!(SeenLatencies::now()?, SeenLatencies(0, [0, 0, 0]));
        Ok(())
    }

    #[test]
    fn too_many_histograms_are_refused() -> Result {
        const EIGHT: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];
        const NINE: [&str; 9] = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
        const fn row(labels: &'static [Label]) -> Row<Timed> {
            Row::histogram("kunit_seconds", "Latencies.", labels, |_, _| None)
        }
        static ROWS: [Row<Timed>; 2] = [
            row(&[Label::new("a", &EIGHT), Label::new("b", &EIGHT)]),
            row(&[Label::new("a", &NINE), Label::new("b", &EIGHT)]),
        ];

        let timed = || Arc::new(Timed([None, None]), GFP_KERNEL);
        for (row, refusal) in ROWS.iter().zip([None, Some(EINVAL)]) {
            let result = Registration::new(&[slice::from_ref(row)], None, timed()?);
            assert_eq!(result.err(), refusal);
        }
        Ok(())
    }

    /// With a lock that does not know its task, the report would wait for itself.
    #[test]
    fn registrations_dropped_in_a_report_are_gone_after_it() -> Result {
        let careless = Careless::new()?;
        let others = Numbers::new([1, 2, 3])?;
        let own = Registration::new(&[&CARELESS], None, careless.clone())?;
        let other = Registration::new(&[&ROWS], None, others.clone())?;
        *careless.owned.lock() = [Some(own), Some(other)];

        // The first row drops both registrations, so nothing else is read.
        let seen = Seen::now()?;
        assert_eq!(seen.values[0], [None; 3]);
        assert_eq!(careless.reads.load(Relaxed), 1);
        assert_eq!(careless.refused.load(Relaxed), 1);

        assert_eq!(Seen::now()?.families, 0);
        assert_eq!(careless.reads.load(Relaxed), 1);
        // The names are free again.
        drop(Registration::new(&[&CARELESS], None, careless)?);
        drop(Registration::new(&[&ROWS], None, others)?);
        Ok(())
    }
}
