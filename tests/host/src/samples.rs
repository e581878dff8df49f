// SPDX-License-Identifier: GPL-2.0

//! Explores a model of the protocol of `rust/stats/samples.rs` in all interleavings.
//!
//! # What is modelled
//!
//! - Two CPUs with a recorder each, which records one sample, and then frees its page if there is
//!   one. A recorder can be held up between any two steps, even for ever. One recorder can be moved
//!   to the other CPU and back.
//! - A reset that is followed by a reading, on a third CPU.
//! - A store of a recorder waits in a buffer of its CPU and reaches memory some time later, in
//!   order, as on x86. A CPU sees its own stores at once. A locked instruction, and moving a task,
//!   wait for the buffer; a barrier on all CPUs waits for each of them.
//!
//! The model does not show that a set comes to rest only because recorders use the other one. A
//! reader that used only one set would be correct, too, but might wait for ever.
//!
//! Stores of the reader do not wait in a buffer. This is not necessary, because a recorder that has
//! not seen such a store is like one that was held up.
//!
//! The maximum stands for both extremes, and the histogram is the set of the samples in it.

use crate::{
    quick::QuickSet,
    Case, //
};

pub(crate) const CASES: &[Case] = &[
    (
        "samples_of_a_reading_belong_together",
        readings_belong_together,
    ),
    ("samples_mistakes_are_found", mistakes_are_found),
];

const CPUS: usize = 2;
/// The recorder that is moved.
const MOVES: usize = 0;
/// The latencies that the recorders measure. The number of a sample is its bit in a histogram.
const RECORDERS: [u8; 2] = [1, 2];

/// Mistakes in the protocol, each of which the model must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    None,
    /// Open samples are not waited for.
    NoWait,
    /// Extremes are cleared without a barrier on all CPUs.
    NoBarrier,
    /// The barrier comes before the extremes are cleared.
    BarrierBefore,
    /// `begun` is read before all else, and the outcomes last.
    BegunFirst,
    /// The resting set is not read.
    OneSet,
    /// Frees are read last.
    FreedLast,
    /// The reset clears the extremes after it has read all else, as the code did with only one set.
    ClearLast,
}

/// A word of memory, by set and CPU.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Word {
    Active,
    Begun(usize, usize),
    Ended(usize, usize),
    Max(usize, usize),
    Histogram(usize, usize),
    Freed(usize),
}

impl Word {
    fn number(self) -> usize {
        match self {
            Self::Active => 0,
            Self::Begun(set, cpu) => 1 + 2 * set + cpu,
            Self::Ended(set, cpu) => 5 + 2 * set + cpu,
            Self::Max(set, cpu) => 9 + 2 * set + cpu,
            Self::Histogram(set, cpu) => 13 + 2 * set + cpu,
            Self::Freed(cpu) => 17 + cpu,
        }
    }
}

/// The next step of a recorder.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Next {
    Find,
    Begin,
    Compare,
    Raise,
    Count,
    End,
    Free,
    Done,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Recorder {
    cpu: usize,
    next: Next,
    set: usize,
}

/// A step of the reader.
#[derive(Clone, Copy, Debug)]
enum Step {
    Freed,
    Ended(usize, usize),
    Clear(usize),
    Barrier(usize),
    /// Reads everything of a set that is read between the outcomes and `begun`.
    Rest(usize),
    Begun(usize, usize),
    /// Goes back to this step if samples were open; otherwise the reading counts.
    Decide(usize),
    Activate(usize),
    /// The reset is over.
    Baseline,
    /// The reading is over.
    Look,
}

/// The state of the reader.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Reader {
    step: usize,
    freed: u8,
    ended: u8,
    begun: u8,
    part: u8,
    part_max: u8,
    histogram: u8,
    max: u8,
    baseline: u8,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Machine {
    memory: [u8; 19],
    buffers: [Vec<(Word, u8)>; CPUS],
    recorders: [Recorder; RECORDERS.len()],
    reader: Reader,
    frees: bool,
}

/// The steps of the reader: a reset and a reading.
fn program(mistake: Mistake) -> Vec<Step> {
    let cpus = || 0..CPUS;
    let mut steps = Vec::new();
    let mut active = 0;
    for clears in [true, false] {
        if mistake != Mistake::FreedLast {
            steps.push(Step::Freed);
        }
        let sets = [1 - active, active];
        for (turn, set) in sets.into_iter().enumerate() {
            if mistake == Mistake::OneSet && turn == 0 {
                continue;
            }
            if turn == 1 {
                active = 1 - set;
                steps.push(Step::Activate(active));
            }
            let start = steps.len();
            let (mut first, mut last): (Vec<_>, Vec<_>) = (
                cpus().map(|cpu| Step::Ended(set, cpu)).collect(),
                cpus().map(|cpu| Step::Begun(set, cpu)).collect(),
            );
            if mistake == Mistake::BegunFirst {
                std::mem::swap(&mut first, &mut last);
            }
            let clear = [Step::Clear(set)];

            steps.append(&mut first);
            match mistake {
                _ if !clears => {}
                Mistake::ClearLast => {}
                Mistake::NoBarrier => steps.extend(clear),
                Mistake::BarrierBefore => steps.extend(cpus().map(Step::Barrier).chain(clear)),
                _ => steps.extend(clear.into_iter().chain(cpus().map(Step::Barrier))),
            }
            steps.push(Step::Rest(set));
            steps.append(&mut last);
            steps.push(Step::Decide(start));
            if clears && mistake == Mistake::ClearLast {
                steps.extend(clear);
            }
        }
        if mistake == Mistake::FreedLast {
            steps.push(Step::Freed);
        }
        steps.push(if clears { Step::Baseline } else { Step::Look });
    }
    steps
}

impl Machine {
    fn new(frees: bool) -> Self {
        Self {
            frees,
            memory: [0; 19],
            buffers: Default::default(),
            recorders: std::array::from_fn(|number| Recorder {
                cpu: number % CPUS,
                next: Next::Find,
                set: 0,
            }),
            reader: Reader::default(),
        }
    }

    fn load(&self, cpu: usize, word: Word) -> u8 {
        let own = self.buffers[cpu].iter().rev().find(|(of, _)| *of == word);
        own.map_or(self.memory[word.number()], |(_, value)| *value)
    }

    fn store(&mut self, cpu: usize, word: Word, value: u8) {
        self.buffers[cpu].push((word, value));
    }

    fn add(&mut self, cpu: usize, word: Word, n: u8) {
        let value = self.load(cpu, word) + n;
        self.store(cpu, word, value);
    }

    /// All states that can follow this one, or the fault that was found.
    fn successors(&self, program: &[Step], mistake: Mistake) -> Result<Vec<Self>, String> {
        let mut all = Vec::new();
        for cpu in 0..CPUS {
            if !self.buffers[cpu].is_empty() {
                let mut next = self.clone();
                let (word, value) = next.buffers[cpu].remove(0);
                next.memory[word.number()] = value;
                all.push(next);
            }
        }
        for number in 0..RECORDERS.len() {
            let cpu = self.recorders[number].cpu;
            if self.recorders[number].next == Next::Done {
                continue;
            }
            if number == MOVES && self.buffers[cpu].is_empty() {
                let mut next = self.clone();
                next.recorders[number].cpu = 1 - cpu;
                all.push(next);
            }
            if self.recorders[number].next != Next::Raise || self.buffers[cpu].is_empty() {
                let mut next = self.clone();
                next.record(number);
                all.push(next);
            }
        }
        if let Some(&step) = program.get(self.reader.step) {
            if !matches!(step, Step::Barrier(cpu) if !self.buffers[cpu].is_empty()) {
                let mut next = self.clone();
                next.reader.step += 1;
                next.read(step, mistake)?;
                all.push(next);
            }
        }
        Ok(all)
    }

    fn record(&mut self, number: usize) {
        let Recorder { cpu, next, set } = self.recorders[number];
        let value = RECORDERS[number];
        let following = match next {
            Next::Find => {
                self.recorders[number].set = self.load(cpu, Word::Active).into();
                Next::Begin
            }
            Next::Begin => {
                self.add(cpu, Word::Begun(set, cpu), 1);
                Next::Compare
            }
            Next::Compare if self.load(cpu, Word::Max(set, cpu)) < value => Next::Raise,
            Next::Compare => Next::Count,
            Next::Raise => {
                let max = &mut self.memory[Word::Max(set, cpu).number()];
                *max = value.max(*max);
                Next::Count
            }
            Next::Count => {
                self.add(cpu, Word::Histogram(set, cpu), 1 << number);
                Next::End
            }
            Next::End => {
                self.add(cpu, Word::Ended(set, cpu), 1);
                if self.frees {
                    Next::Free
                } else {
                    Next::Done
                }
            }
            Next::Free => {
                self.add(cpu, Word::Freed(cpu), 1);
                Next::Done
            }
            Next::Done => Next::Done,
        };
        self.recorders[number].next = following;
    }

    fn read(&mut self, step: Step, mistake: Mistake) -> Result<(), String> {
        let load = |word: Word| self.memory[word.number()];
        match step {
            Step::Freed => self.reader.freed = (0..CPUS).map(|cpu| load(Word::Freed(cpu))).sum(),
            Step::Ended(set, cpu) => self.reader.ended += load(Word::Ended(set, cpu)),
            Step::Begun(set, cpu) => self.reader.begun += load(Word::Begun(set, cpu)),
            Step::Clear(set) => {
                for cpu in 0..CPUS {
                    self.memory[Word::Max(set, cpu).number()] = 0;
                }
            }
            Step::Barrier(_) => {}
            Step::Rest(set) => {
                for cpu in 0..CPUS {
                    self.reader.part |= load(Word::Histogram(set, cpu));
                    self.reader.part_max = self.reader.part_max.max(load(Word::Max(set, cpu)));
                }
            }
            Step::Activate(set) => self.memory[Word::Active.number()] = set as u8,
            Step::Decide(start) => {
                let reader = &mut self.reader;
                if reader.begun != reader.ended && mistake != Mistake::NoWait {
                    reader.step = start;
                } else {
                    reader.histogram |= reader.part;
                    reader.max = reader.max.max(reader.part_max);
                }
                (reader.ended, reader.begun, reader.part, reader.part_max) = (0, 0, 0, 0);
            }
            Step::Baseline => {
                self.reader.baseline = self.reader.histogram;
                let reader = &mut self.reader;
                (reader.freed, reader.histogram, reader.max) = (0, 0, 0);
            }
            Step::Look => return self.look(),
        }
        Ok(())
    }

    /// Checks that the numbers of the reading belong together.
    fn look(&self) -> Result<(), String> {
        let Reader {
            freed,
            histogram,
            max,
            baseline,
            ..
        } = self.reader;
        let since = histogram & !baseline;
        let samples = (0..RECORDERS.len()).filter(|number| since >> number & 1 != 0);
        let largest = samples.map(|number| RECORDERS[number]).max().unwrap_or(0);
        if histogram & baseline != baseline {
            return Err(format!("samples went: {baseline:b}, then {histogram:b}"));
        }
        if max != largest {
            return Err(format!(
                "the maximum is {max}, that of the samples {largest}"
            ));
        }
        if u32::from(freed) > histogram.count_ones() {
            return Err(format!("{freed} freed of {histogram:b}"));
        }
        Ok(())
    }
}

/// The first fault, if any, and the number of states up to it. Also whether the reading had the
/// samples of both recorders, of only one, or of none.
fn explore(mistake: Mistake, frees: bool) -> (Option<String>, usize, [bool; 3]) {
    let program = program(mistake);
    let start = Machine::new(frees);
    let mut visited = QuickSet::from_iter([start.clone()]);
    let mut open = vec![start];
    let mut seen = [false; 3];

    while let Some(machine) = open.pop() {
        if machine.reader.step == program.len() {
            let since = machine.reader.histogram & !machine.reader.baseline;
            seen[since.count_ones() as usize] = true;
            // The steps of recorders after this do not matter.
            continue;
        }
        match machine.successors(&program, mistake) {
            Err(wrong) => return (Some(wrong), visited.len(), seen),
            Ok(all) => {
                for next in all {
                    if visited.insert(next.clone()) {
                        open.push(next);
                    }
                }
            }
        }
    }
    (None, visited.len(), seen)
}

fn readings_belong_together() {
    let (wrong, states, seen) = explore(Mistake::None, true);
    println!("# {states} states");
    assert_eq!(wrong, None);
    assert_eq!(
        seen, [true; 3],
        "readings with none, one and both of the samples"
    );
}

fn mistakes_are_found() {
    for mistake in [
        Mistake::NoWait,
        Mistake::NoBarrier,
        Mistake::BarrierBefore,
        Mistake::BegunFirst,
        Mistake::OneSet,
        Mistake::FreedLast,
        Mistake::ClearLast,
    ] {
        let (wrong, states, _) = explore(mistake, mistake == Mistake::FreedLast);
        println!("# {mistake:?}: {wrong:?} after {states} states");
        assert!(wrong.is_some(), "{mistake:?} harms nobody");
    }
}
