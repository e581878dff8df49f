// SPDX-License-Identifier: GPL-2.0

//! The protocol of the per-CPU cells, in all interleavings of small machines.

mod explore;
mod machine;

use crate::Case;
use explore::explore;
use machine::{
    Broken,
    Kind::{
        self,
        Interrupt,
        Task,
        Undertaker,
        Visitor, //
    },
    Memory,
    Protocol, //
};

pub(crate) const CASES: &[Case] = &[
    (
        "cell_exchange_keeps_all_promises",
        exchange_keeps_all_promises,
    ),
    ("cell_catches_local_compare", catches_local_compare),
    ("cell_catches_load_and_store", catches_load_and_store),
    ("cell_catches_compare_elsewhere", catches_compare_elsewhere),
    ("cell_catches_give_back_here", catches_give_back_here),
    (
        "cell_catches_give_back_unordered",
        catches_give_back_unordered,
    ),
    ("cell_catches_give_back_early", catches_give_back_early),
    (
        "cell_catches_give_back_only_at_home",
        catches_give_back_only_at_home,
    ),
    (
        "cell_catches_local_compare_beside_visitors",
        catches_local_compare_beside_visitors,
    ),
    ("cell_catches_visit_by_store", catches_visit_by_store),
];

/// The machines: their flows, and the number of accesses of each. A second access finds the state
/// that the first one left.
const MACHINES: [&[(Kind, u8)]; 9] = [
    // Tasks that preempt each other, on both CPUs.
    &[(Task(0), 2), (Task(1), 2)],
    &[(Task(0), 1), (Task(0), 1), (Task(0), 1)],
    &[(Task(0), 1), (Task(0), 2), (Interrupt, 1)],
    // Interrupts that nest, above a task that is moved.
    &[(Task(0), 2), (Interrupt, 1), (Interrupt, 1)],
    // The other CPU goes offline while its token is held.
    &[(Task(1), 2), (Task(1), 1), (Undertaker, 1)],
    // A body is taken from another CPU, at the same time as by its own CPU, by an interrupt there,
    // by another visitor, and when its CPU goes offline.
    &[(Task(1), 2), (Visitor, 2)],
    &[(Task(1), 1), (Interrupt, 1), (Visitor, 1)],
    &[(Task(1), 1), (Visitor, 1), (Visitor, 1)],
    &[(Task(1), 1), (Visitor, 1), (Undertaker, 1)],
];

const MEMORIES: [Memory; 2] = [Memory::Ordered, Memory::Weak];

/// No path leads to a broken promise, and all events that matter happen on some path.
fn exchange_keeps_all_promises() {
    for memory in MEMORIES {
        for flows in MACHINES {
            let found = explore(Protocol::Exchange, memory, flows, |_| true);
            if let Some((broken, way)) = found.broken {
                panic!("{memory:?} memory, {flows:?}: {broken:?} after {way:#?}");
            }
            assert!(
                found.seen.afar,
                "{flows:?}: nobody gave back from another CPU"
            );
            assert!(found.seen.turned_away, "{flows:?}: nobody was turned away");
            assert_eq!(
                found.seen.by_visitor,
                flows.iter().any(|&(kind, _)| kind == Visitor),
                "{flows:?}: turned away by a visitor, or not"
            );
            println!("# {memory:?} memory, {flows:?}: {} states", found.states);
        }
    }
}

/// Checks that some path leads to this broken promise.
fn catches(protocol: Protocol, memory: Memory, wanted: Broken) {
    let found = MACHINES
        .iter()
        .find_map(|flows| explore(protocol, memory, flows, |broken| broken == wanted).broken);
    let Some((_, way)) = found else {
        panic!("{protocol:?} with {memory:?} memory passes for right: no {wanted:?}");
    };
    println!("# {protocol:?}: {wanted:?} after {} events", way.len());
}

/// On x86 a comparison that fails writes back a value that another CPU has already replaced.
fn catches_local_compare() {
    catches(Protocol::LocalCompare, Memory::Ordered, Broken::TokenLost);
}

fn catches_load_and_store() {
    catches(Protocol::LoadAndStore, Memory::Ordered, Broken::TwoHolders);
}

fn catches_compare_elsewhere() {
    catches(
        Protocol::CompareElsewhere,
        Memory::Ordered,
        Broken::TwoHolders,
    );
}

fn catches_give_back_here() {
    catches(Protocol::GiveBackHere, Memory::Ordered, Broken::TwoHolders);
}

/// This is a mistake only on machines with weak memory. On x86 every store has release order.
fn catches_give_back_unordered() {
    catches(
        Protocol::GiveBackUnordered,
        Memory::Weak,
        Broken::AccessLost,
    );
}

fn catches_give_back_early() {
    catches(Protocol::GiveBackEarly, Memory::Ordered, Broken::AccessLost);
}

fn catches_give_back_only_at_home() {
    catches(
        Protocol::GiveBackOnlyAtHome,
        Memory::Ordered,
        Broken::TokenLost,
    );
}

/// An operation that is atomic only on one CPU is not enough if other CPUs take its token.
fn catches_local_compare_beside_visitors() {
    catches(Protocol::LocalCompare, Memory::Ordered, Broken::TwoHolders);
}

fn catches_visit_by_store() {
    catches(Protocol::VisitByStore, Memory::Ordered, Broken::TwoHolders);
}
