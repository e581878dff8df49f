// SPDX-License-Identifier: GPL-2.0

//! The path of a request, against a list of the rooms that it entered.

use crate::{
    logic::request::{
        Priority,
        Request,
        Room, //
    },
    property::holds,
    Case, //
};
use proptest::collection::vec;

pub(crate) const CASES: &[Case] = &[
    ("request_remembers_its_path", remembers_its_path),
    ("rooms_are_numbered_in_order", rooms_are_numbered_in_order),
    ("priorities_are_ordered", priorities_are_ordered),
];

fn remembers_its_path() {
    holds(vec(0..Room::COUNT, 0..8), |path| {
        let mut request = Request::new(Priority::Normal);
        for &room in &path {
            request.enter(Room::ALL[room]);
        }
        for (number, room) in Room::ALL.into_iter().enumerate() {
            assert_eq!(request.has_been_to(room), path.contains(&number));
        }
        assert_eq!(
            request.last_room().map(|room| room as usize),
            path.iter().max().copied()
        );
        assert_eq!(request.priority(), Priority::Normal);
    });
}

/// The index of a room is its place in the chain, and no two have the same name.
fn rooms_are_numbered_in_order() {
    for (number, room) in Room::ALL.into_iter().enumerate() {
        assert_eq!(room as usize, number);
        assert!(Room::ALL
            .iter()
            .all(|&other| other == room || other.name() != room.name()));
    }
    assert_eq!(
        Room::ALL.first(),
        Some(&Room::Cache),
        "the cheapest is not first"
    );
    assert_eq!(
        Room::ALL.last(),
        Some(&Room::Emergency),
        "what is everybody's is not last"
    );
}

fn priorities_are_ordered() {
    assert!(Priority::Low < Priority::Normal && Priority::Normal < Priority::High);
    assert!(Priority::ALL.is_sorted());
}
