// SPDX-License-Identifier: GPL-2.0

//! Visits every state that a machine can reach, in breadth-first order.

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

/// The result of an exploration.
pub(crate) struct Found {
    pub(crate) states: usize,
    /// Everything that happened on at least one path.
    pub(crate) seen: Seen,
    /// A broken promise and a shortest path to it, or `None` if all promises were kept.
    pub(crate) broken: Option<(Broken, Vec<Event>)>,
}

/// Explores until a promise is broken that `wanted` accepts.
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
    // For each state, the number of the state before it, and the event that led from there.
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
                // Do not follow a path after another promise was broken.
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
