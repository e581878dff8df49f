// SPDX-License-Identifier: GPL-2.0

//! Handles damaged guards: counts them, keeps the last ones for `corruption`, and reports them as
//! the policy says.
//!
//! This works in every context but NMI, including hard interrupts, because it takes no locks and
//! allocates nothing. Every damage is counted; the log messages are rate-limited.

pub use super::transfer::canary::Damage;

use super::transfer::canary::SHOWN;
use crate::{
    ffi::{
        context::Kind,
        report,
        unload::OwnModule, //
    },
    stats::{
        label,
        Registration,
        Row, //
    }, //
};
use kernel::{
    alloc::AllocError,
    fmt,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Full,
        Relaxed,
        Release, //
    }, //
};

/// The reaction to a damaged guard, besides counting it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Nothing.
    Count = 0,
    /// A line in the kernel log.
    Warn = 1,
    /// A panic.
    Panic = 2,
}

impl Policy {
    /// The largest number of a policy.
    pub const MAX: u64 = Self::Panic as u64;

    /// Returns the policy with this number. Fails with `ERANGE` if there is none. Any context.
    pub fn from_number(number: u64) -> Result<Self> {
        [Self::Count, Self::Warn, Self::Panic]
            .into_iter()
            .find(|policy| *policy as u64 == number)
            .ok_or(ERANGE)
    }

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Warn => "warn",
            Self::Panic => "panic",
        }
    }
}

static POLICY: Atomic<u32> = Atomic::new(Policy::Warn as u32);

/// Returns the policy. Any context.
pub fn policy() -> Policy {
    // `POLICY` is always the number of a policy.
    Policy::from_number(POLICY.load(Relaxed).into()).unwrap_or(Policy::Warn)
}

/// Changes the policy, for labyrinth's own module: it is the administrator's choice, not that of a
/// driver. Any context.
pub fn set_policy(_own_module: OwnModule, policy: Policy) {
    POLICY.store(policy as u32, Relaxed);
}

/// The occasion of the check that found a damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Their holder was freeing the pages.
    Drop,
    /// The pages were being transferred, or their guards removed.
    Transfer,
    /// The holder asked for the check.
    Demand,
}

impl Occasion {
    /// All occasions; `occasion as usize` is the index.
    pub const ALL: [Self; Self::COUNT] = [Self::Drop, Self::Transfer, Self::Demand];

    /// How many there are.
    pub const COUNT: usize = 3;

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Transfer => "transfer",
            Self::Demand => "demand",
        }
    }
}

/// A damaged guard.
#[derive(Clone, Copy)]
pub struct Corruption {
    /// Its number since the module was loaded, beginning with 1.
    pub number: u64,
    /// The page frame number of the first page of the block.
    pub pfn: usize,
    /// The order of the block.
    pub order: u32,
    /// The wrong bytes, with their offset in the block.
    pub damage: Damage,
    /// The context that the holder got the pages in.
    pub holder: Kind,
    /// How long the holder has had the pages, in nanoseconds.
    pub age: u64,
    /// How many damages were found while this holder had the pages, including this one.
    pub times: u32,
    /// The occasion of the check.
    pub noticed: Occasion,
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage {
            offset,
            wrong,
            shown,
            expected,
            found,
        } = &self.damage;
        let hex = |f: &mut fmt::Formatter<'_>, bytes: &[u8; SHOWN]| {
            let mut shown = bytes.iter().take(*shown);
            shown.try_for_each(|byte| write!(f, "{byte:02x}"))
        };

        write!(
            f,
            "number={} pfn=0x{:x} order={} offset={offset} wrong={wrong} expected=",
            self.number, self.pfn, self.order
        )?;
        hex(f, expected)?;
        f.write_str(" found=")?;
        hex(f, found)?;
        write!(
            f,
            " holder={} age_ns={} times={} noticed={}",
            self.holder.name(),
            self.age,
            self.times,
            self.noticed.name()
        )
    }
}

/// Returns how many damaged guards were found since the module was loaded, by occasion and by the
/// context of the holder. Any context.
pub fn found(noticed: Occasion, holder: Kind) -> u64 {
    FOUND[noticed as usize][holder as usize].load(Relaxed) as u64
}

/// Returns how many damaged guards were found since the module was loaded. Any context.
pub fn total() -> u64 {
    NUMBERS.load(Relaxed) as u64
}

/// Returns how many bytes in them were wrong. Any context.
pub fn bytes() -> u64 {
    BYTES.load(Relaxed) as u64
}

/// Makes reports show and reset the counts. Task context only, may sleep. Fails as
/// [`Registration::new`] does. It fails with `EEXIST` if reports already show the counts, so it
/// always does for drivers.
pub fn register() -> Result<Registration> {
    Registration::of_statics(&[&ROWS])
}

static ROWS: [Row<()>; 3] = [
    Row::counter(
        "guard_corruptions",
        "Damaged guards, by when it was noticed and where their holder got the pages.",
        &[label!("noticed", Occasion), label!("context", Kind)],
        |(), [noticed, holder, _]| found(Occasion::ALL[noticed], Kind::ALL[holder]),
    ),
    Row::counter(
        "guard_corruption_bytes",
        "Wrong bytes in them.",
        &[],
        |(), _| bytes(),
    ),
    Row::gauge(
        "sentinel",
        "What is done about them: 0 counted, 1 a warning, 2 a panic.",
        &[],
        |(), _| policy() as u64,
    ),
];

static FOUND: [[Atomic<i64>; Kind::COUNT]; Occasion::COUNT] =
    [const { [const { Atomic::new(0) }; Kind::COUNT] }; Occasion::COUNT];
static NUMBERS: Atomic<i64> = Atomic::new(0);
static BYTES: Atomic<i64> = Atomic::new(0);

/// Counts and reports a damage, and sets its number. Any context but NMI.
#[cold]
pub(super) fn report(corruption: &mut Corruption) {
    corruption.number = NUMBERS.fetch_add(1, Relaxed) as u64 + 1;
    FOUND[corruption.noticed as usize][corruption.holder as usize].add(1, Relaxed);
    BYTES.add(corruption.damage.wrong as i64, Relaxed);
    let corruption = &*corruption;
    keep(corruption);

    match policy() {
        Policy::Count => {}
        Policy::Warn => {
            if report::may_print() {
                pr_err!("guard damaged: {corruption}\n");
            }
        }
        Policy::Panic => {
            pr_emerg!("guard damaged: {corruption}\n");
            report::halt(corruption.pfn, corruption.damage.offset);
        }
    }
}

/// How many of the last damages are kept.
const KEPT: usize = 64;

/// Returns the last damages, the oldest first. Task context only, may sleep.
pub fn recent() -> Result<KVec<Corruption>, AllocError> {
    let mut recent = KVec::with_capacity(KEPT, GFP_KERNEL)?;
    for corruption in SLOTS.iter().filter_map(Slot::read) {
        // There is space for as many as there are slots.
        let _ = recent.push_within_capacity(corruption);
    }
    recent.sort_unstable_by_key(|corruption: &Corruption| corruption.number);
    Ok(recent)
}

fn keep(corruption: &Corruption) {
    let first = corruption.number as usize;
    // Skip a slot that is being written. Its writer may be a task that this code has interrupted.
    for slot in 0..KEPT {
        if SLOTS[(first + slot) % KEPT].write(corruption) {
            return;
        }
    }
}

static SLOTS: [Slot; KEPT] = [const { Slot::new() }; KEPT];

/// A slot for a [`Corruption`]. Readers never make a writer wait.
struct Slot {
    /// Odd while the slot is being written, even otherwise; 0 before the first write.
    version: Atomic<i64>,
    words: [Atomic<i64>; WORDS],
}

const WORDS: usize = 10;

impl Slot {
    const fn new() -> Self {
        Self {
            version: Atomic::new(0),
            words: [const { Atomic::new(0) }; WORDS],
        }
    }

    /// Writes the slot. Returns `false`, and changes nothing, if another writer is writing it.
    fn write(&self, corruption: &Corruption) -> bool {
        let version = self.version.load(Relaxed);
        // Fully ordered: a reader that sees a word written below then also sees this version, or a
        // later one.
        if version % 2 != 0 || self.version.cmpxchg(version, version + 1, Full).is_err() {
            return false;
        }
        for (word, value) in self.words.iter().zip(corruption.encode()) {
            word.store(value as i64, Relaxed);
        }
        self.version.store(version + 2, Release);
        true
    }

    /// Reads the slot. Returns `None` if nothing was written yet, or if writers change it again and
    /// again.
    fn read(&self) -> Option<Corruption> {
        for _ in 0..KEPT {
            let version = self.version.load(Acquire);
            if version == 0 {
                return None;
            }
            // Each of these loads comes before the next one of the version.
            let words = self.words.each_ref().map(|word| word.load(Acquire) as u64);
            if version % 2 == 0 && self.version.load(Relaxed) == version {
                return Corruption::decode(words);
            }
        }
        None
    }
}

impl Corruption {
    fn encode(&self) -> [u64; WORDS] {
        let Damage {
            offset,
            wrong,
            shown,
            expected,
            found,
        } = self.damage;
        let [e0, e1] = to_words(expected);
        let [f0, f1] = to_words(found);
        let small = [
            self.order as u8,
            self.holder as u8,
            self.noticed as u8,
            shown as u8,
        ];
        [
            self.number,
            self.pfn as u64,
            offset as u64,
            u64::from(u32::from_le_bytes(small)) << 32 | u64::from(self.times),
            wrong as u64,
            self.age,
            e0,
            e1,
            f0,
            f1,
        ]
    }

    fn decode(words: [u64; WORDS]) -> Option<Self> {
        let [number, pfn, offset, small, wrong, age, e0, e1, f0, f1] = words;
        let [order, holder, noticed, shown] = ((small >> 32) as u32).to_le_bytes();
        Some(Self {
            number,
            pfn: pfn as usize,
            order: order.into(),
            damage: Damage {
                offset: offset as usize,
                wrong: wrong as usize,
                shown: shown.into(),
                expected: to_bytes([e0, e1]),
                found: to_bytes([f0, f1]),
            },
            holder: *Kind::ALL.get(usize::from(holder))?,
            age,
            times: small as u32,
            noticed: *Occasion::ALL.get(usize::from(noticed))?,
        })
    }
}

fn to_words(bytes: [u8; SHOWN]) -> [u64; 2] {
    let all = u128::from_le_bytes(bytes);
    [all as u64, (all >> 64) as u64]
}

fn to_bytes([low, high]: [u64; 2]) -> [u8; SHOWN] {
    (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
}
