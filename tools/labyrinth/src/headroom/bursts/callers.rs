// SPDX-License-Identifier: GPL-2.0

//! Who has taken pages.

use crate::failures::{
    context::Context,
    probe::{self, Probe, Raw},
    symbols::{self, Frame, Symbols},
};
use std::{collections::HashMap, path::Path};

/// A caller in a context.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The function, if the stack was recorded.
    pub frame: Option<Frame>,
    /// The context.
    pub context: Context,
}

/// The callers, numbered.
pub struct Callers {
    symbols: Option<Symbols>,
    /// The numbers of stacks with their flags.
    stacks: HashMap<(Vec<u64>, u8), usize>,
    numbers: HashMap<Caller, usize>,
    callers: Vec<Caller>,
}

impl Callers {
    /// Starts without callers.
    pub fn new(root: &Path) -> Self {
        Self {
            symbols: probe::symbols(root),
            stacks: HashMap::new(),
            numbers: HashMap::new(),
            callers: Vec::new(),
        }
    }

    /// Whether callers have names.
    pub fn named(&self) -> bool {
        self.symbols.is_some()
    }

    /// Reads the symbols again if modules were loaded.
    pub fn refresh(&mut self) {
        if self.symbols.as_mut().is_some_and(Symbols::refresh) {
            self.stacks.clear();
        }
    }

    /// Returns the number of the caller of a request.
    pub fn number(&mut self, probe: &Probe, raw: Raw) -> usize {
        let key = (raw.stack.clone(), raw.flags);
        if let Some(&number) = self.stacks.get(&key) {
            return number;
        }
        let frames = match &self.symbols {
            Some(symbols) => symbols.frames(&raw.stack),
            None => raw.stack.iter().map(|&a| Frame::unknown(a)).collect(),
        };
        let caller = Caller {
            frame: symbols::caller(&frames).cloned(),
            context: probe.context(&raw, &frames),
        };
        let callers = &mut self.callers;
        let number = *self.numbers.entry(caller.clone()).or_insert_with(|| {
            callers.push(caller);
            callers.len() - 1
        });
        self.stacks.insert(key, number);
        number
    }

    /// Returns the caller with a number.
    pub fn get(&self, number: usize) -> &Caller {
        &self.callers[number]
    }
}
