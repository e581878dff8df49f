// SPDX-License-Identifier: GPL-2.0

//! Visits every state that a machine can reach.

use super::machine::{
    Broken,
    Event,
    Kind,
    Machine,
    Memory,
    Protocol,
    Seen, //
};
use std::collections::HashSet;

/// What was found.
pub(crate) struct Found {
    pub(crate) states: usize,
    /// Everything that happened on some way.
    pub(crate) seen: Seen,
    /// A broken promise and the way there, unless all were kept.
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
    let mut found = Found {
        states: 0,
        seen: Seen::default(),
        broken: None,
    };
    let mut visited = HashSet::from([start.clone()]);
    // Depth first, with the events that led here.
    let mut way: Vec<Event> = Vec::new();
    let mut open = vec![(start.clone(), start.events(protocol, memory))];
    while let Some((machine, events)) = open.last_mut() {
        let Some(event) = events.pop() else {
            open.pop();
            way.pop();
            continue;
        };
        let mut machine = machine.clone();
        way.push(event);
        let mut outcome = machine.happen(event, protocol);
        let mut events = Vec::new();
        if outcome.is_ok() {
            if !visited.insert(machine.clone()) {
                way.pop();
                continue;
            }
            events = machine.events(protocol, memory);
            if events.is_empty() {
                found.seen.afar |= machine.seen.afar;
                found.seen.turned_away |= machine.seen.turned_away;
                outcome = machine.at_the_end();
            }
        }
        match outcome {
            Err(broken) if wanted(broken) => {
                found.broken = Some((broken, way));
                break;
            }
            // A promise that is not looked for: not further this way.
            Err(_) => {
                way.pop();
            }
            Ok(()) => open.push((machine, events)),
        }
    }
    found.states = visited.len();
    found
}
