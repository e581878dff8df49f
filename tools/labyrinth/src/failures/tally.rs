// SPDX-License-Identifier: GPL-2.0

//! Failures with names, and their sums.

use super::{context::Context, probe::Cause, symbols::Frame};
use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;
use std::{cmp::Reverse, collections::HashMap, rc::Rc};

/// A failure.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Failure {
    /// When it happened, on the clock of the kernel's log, in nanoseconds.
    #[serde(skip)]
    pub time: u64,
    /// What failed.
    pub cause: Cause,
    /// The first function outside of the allocators.
    pub caller: Option<Frame>,
    /// The context.
    pub context: Context,
    /// Whether interrupts were off. Missing if it is unknown.
    pub irqs_off: Option<bool>,
    /// The order: two to this power of pages.
    pub order: Option<u32>,
    /// The flags, by name as far as possible.
    pub flags: Option<Rc<str>>,
    /// Whether the flags have `__GFP_NOWARN`.
    #[serde(skip)]
    pub nowarn: bool,
    /// The name of the thread.
    pub process: Rc<str>,
    /// The number of the thread.
    pub thread: Option<u32>,
    /// The CPU.
    pub cpu: u32,
    /// The node of the CPU.
    pub node: u32,
    /// The stack, innermost first.
    pub stack: Rc<[Frame]>,
}

/// By what failures are summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The first function outside of the allocators
    Caller,
    /// Task, softirq, hard irq or NMI
    Context,
    /// The order of the request
    Order,
    /// The flags of the request
    Flags,
    /// The process that ran; by chance, if the context is not a task
    Process,
    /// The node of the CPU
    Node,
    /// The CPU
    Cpu,
}

/// What the failures in a row have in common. A property is missing if it is not summed up by it, or
/// unknown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Key {
    /// What failed.
    pub cause: Cause,
    /// The first function outside of the allocators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<Frame>,
    /// The context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// The order: two to this power of pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<u32>,
    /// The flags, by name as far as possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<Rc<str>>,
    /// The name of the thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<Rc<str>>,
    /// The node of the CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// The CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u32>,
    /// The stack, innermost first, with --stacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<Rc<[Frame]>>,
}

/// A sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Row {
    /// The number of failures.
    pub count: u64,
    /// What they have in common.
    #[serde(flatten)]
    pub key: Key,
}

/// Sums up failures.
pub struct Tally {
    by: Vec<By>,
    stacks: bool,
    counts: HashMap<Key, u64>,
}

impl Tally {
    /// Sums up by these properties, and by stack if `stacks`.
    pub fn new(by: &[By], stacks: bool) -> Self {
        Self {
            by: by.to_vec(),
            stacks,
            counts: HashMap::new(),
        }
    }

    /// Adds a failure.
    pub fn add(&mut self, failure: &Failure) {
        let has = |by| self.by.contains(&by);
        let key = Key {
            cause: failure.cause,
            caller: failure.caller.clone().filter(|_| has(By::Caller)),
            context: has(By::Context).then_some(failure.context),
            order: failure.order.filter(|_| has(By::Order)),
            flags: failure.flags.clone().filter(|_| has(By::Flags)),
            process: has(By::Process).then(|| failure.process.clone()),
            node: has(By::Node).then_some(failure.node),
            cpu: has(By::Cpu).then_some(failure.cpu),
            stack: self.stacks.then(|| failure.stack.clone()),
        };

        *self.counts.entry(key).or_default() += 1;
    }

    /// Returns the sums, the largest first.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self
            .counts
            .iter()
            .map(|(key, &count)| Row {
                count,
                key: key.clone(),
            })
            .collect();

        rows.sort_by(|a, b| (Reverse(a.count), &a.key).cmp(&(Reverse(b.count), &b.key)));
        rows
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{By, Failure, Tally};
    use crate::failures::{context::Context, probe::Cause, symbols::Frame};

    /// Returns a failure of order 0.
    pub fn failure(caller: &str, context: Context) -> Failure {
        let caller = Frame {
            name: caller.to_owned(),
            module: None,
        };

        Failure {
            time: 12_000_345_000,
            cause: Cause::Memory,
            caller: Some(caller.clone()),
            context,
            irqs_off: Some(context == Context::HardIrq),
            order: Some(0),
            flags: Some("GFP_ATOMIC".into()),
            nowarn: false,
            process: "swapper".into(),
            thread: Some(0),
            cpu: 1,
            node: 0,
            stack: [caller].into(),
        }
    }

    #[test]
    fn the_largest_sum_comes_first() {
        let mut tally = Tally::new(&[By::Caller, By::Order], false);

        tally.add(&failure("a", Context::Task));
        tally.add(&failure("b", Context::Task));
        tally.add(&failure("b", Context::Softirq));
        let rows = tally.rows();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].count, rows[1].count), (2, 1));
        assert_eq!(rows[0].key.caller.as_ref().unwrap().name, "b");
        assert_eq!((rows[0].key.context, rows[0].key.order), (None, Some(0)));
        assert!(rows[0].key.stack.is_none());
    }
}
