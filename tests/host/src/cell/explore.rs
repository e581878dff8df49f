// SPDX-License-Identifier: GPL-2.0

//! Visits every state that a machine can reach, those first that are reached soonest.

use super::machine::{
    Broken,
    Event,
    Kind,
    Machine,
    Memory,
    Protocol,
    Seen, //
};
use crate::quick::QuickSet;
use std::collections::VecDeque;

/// What was found.
pub(crate) struct Found {
    pub(crate) states: usize,
    /// Everything that happened on some way.
    pub(crate) seen: Seen,
    /// A broken promise and a shortest way there, unless all were kept.
    pub(crate) broken: Option<(Broken, Vec<Event>)>,
}

/// Explores until a promise is broken of which `wanted` says that it is looked for.
pub(crate) fn explore(
    protocol: Protocol,
    memory: Memory,
    flows: &[(Kind, u8)],
    wanted: impl Fn(Broken) -> bool,
) -> Found {
    let start = Machine::new(flows);
    let mut seen = Seen::default();
    let mut visited: QuickSet<Machine> = QuickSet::default();
    visited.insert(start.clone());
    // The state that each came from, by number, and the event that led on.
    let mut came_from: Vec<(usize, Option<Event>)> = vec![(0, None)];
    let mut open = VecDeque::from([(0, start)]);
    let mut broken = None;

    'found: while let Some((number, machine)) = open.pop_front() {
        let events = machine.events(protocol, memory);
        if events.is_empty() {
            seen.afar |= machine.seen.afar;
            seen.turned_away |= machine.seen.turned_away;
            seen.by_visitor |= machine.seen.by_visitor;
            if let Err(what) = machine.at_the_end() {
                if wanted(what) {
                    broken = Some((what, number, None));
                    break;
                }
            }
        }
        for event in events {
            let mut next = machine.clone();
            match next.happen(event, protocol) {
                Err(what) if wanted(what) => {
                    broken = Some((what, number, Some(event)));
                    break 'found;
                }
                // A promise that is not looked for: no further this way.
                Err(_) => {}
                Ok(()) if visited.contains(&next) => {}
                Ok(()) => {
                    visited.insert(next.clone());
                    open.push_back((came_from.len(), next));
                    came_from.push((number, Some(event)));
                }
            }
        }
    }

    Found {
        states: visited.len(),
        seen,
        broken: broken.map(|(what, mut number, last)| {
            let mut way: Vec<Event> = last.into_iter().collect();
            while let (before, Some(event)) = came_from[number] {
                way.push(event);
                number = before;
            }
            way.reverse();
            (what, way)
        }),
    }
}
