// SPDX-License-Identifier: GPL-2.0

//! Compares the path of a request with a list of the tiers that it entered.

use crate::{
    logic::{
        request::{
            Priority,
            Request, //
        },
        tier::Tier, //
    },
    property::holds,
    Case, //
};
use proptest::collection::vec;

pub(crate) const CASES: &[Case] = &[
    ("request_remembers_its_path", remembers_its_path),
    ("tiers_are_numbered_in_order", tiers_are_numbered_in_order),
    ("priorities_are_ordered", priorities_are_ordered),
];

fn remembers_its_path() {
    holds(vec(0..Tier::COUNT, 0..8), |path| {
        let mut request = Request::new(Priority::Normal);
        for &tier in &path {
            request.enter(Tier::ALL[tier]);
        }
        for (number, tier) in Tier::ALL.into_iter().enumerate() {
            assert_eq!(request.has_been_to(tier), path.contains(&number));
        }
        assert_eq!(
            request.last_tier().map(|tier| tier as usize),
            path.iter().max().copied()
        );
        assert_eq!(request.priority(), Priority::Normal);
    });
}

/// The index of a tier is its place in the chain, and no two have the same name.
fn tiers_are_numbered_in_order() {
    for (number, tier) in Tier::ALL.into_iter().enumerate() {
        assert_eq!(tier as usize, number);
        assert!(Tier::ALL
            .iter()
            .all(|&other| other == tier || other.name() != tier.name()));
    }
    assert_eq!(
        Tier::ALL.first(),
        Some(&Tier::Cache),
        "the cheapest is not first"
    );
    assert_eq!(
        Tier::ALL.last(),
        Some(&Tier::Emergency),
        "what is everybody's is not last"
    );
}

fn priorities_are_ordered() {
    assert!(Priority::Low < Priority::Normal && Priority::Normal < Priority::High);
    assert!(Priority::ALL.is_sorted());
}
