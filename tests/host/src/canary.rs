// SPDX-License-Identifier: GPL-2.0

//! Tests what is reported about a damaged guard.

use crate::{
    canary_logic::{
        Canary,
        Damage,
        GUARD,
        SHOWN, //
    },
    property::holds,
    Case, //
};
use proptest::{
    collection::vec,
    num, //
};
use std::collections::HashSet;

pub(crate) const CASES: &[Case] = &[
    ("canary_whole_guard_is_whole", whole_guard_is_whole),
    ("canary_every_change_of_a_byte", every_change_of_a_byte),
    ("canary_any_change", any_change),
    ("canary_shifted_copy", shifted_copy),
    ("canary_of_another_block", of_another_block),
    ("canary_unlike_accidents", unlike_accidents),
];

const BEGINS: [usize; 3] = [0, 4096 - GUARD, (4096 << 10) - GUARD];

fn planted(canary: Canary, begin: usize) -> [u8; GUARD] {
    let mut guard = [0; GUARD];
    canary.plant(begin, &mut guard);
    guard
}

fn whole_guard_is_whole() {
    holds((num::usize::ANY, num::u64::ANY), |(frame, number)| {
        let canary = Canary::new(frame, number);
        for begin in BEGINS {
            assert_eq!(canary.damage(begin, &planted(canary, begin)), None);
        }
    });
}

/// Changes one byte at a time, to each other value.
fn every_change_of_a_byte() {
    for number in 0..16 {
        let canary = Canary::new(0x1234_5678, number);
        for begin in BEGINS {
            let whole = planted(canary, begin);
            for (i, change) in (0..GUARD).flat_map(|i| (1..=255).map(move |change| (i, change))) {
                let mut guard = whole;
                guard[i] ^= change;
                let damage = canary.damage(begin, &guard).expect("not noticed");
                let Damage {
                    offset,
                    wrong,
                    shown,
                    expected,
                    found,
                } = damage;
                assert_eq!((offset, wrong, shown), (begin + i, 1, 1));
                assert_eq!((expected[0], found[0]), (whole[i], guard[i]));
            }
        }
    }
}

/// For any contents of a guard, the report is that of a comparison byte by byte.
fn any_change() {
    let changes = vec((0..GUARD, 0_u8..), 0..GUARD);
    holds(
        (num::usize::ANY, num::u64::ANY, changes),
        |(frame, number, changes)| {
            let canary = Canary::new(frame, number);
            for begin in BEGINS {
                let whole = planted(canary, begin);
                let mut guard = whole;
                for &(i, value) in &changes {
                    guard[i] = value;
                }
                let wrong: Vec<_> = (0..GUARD).filter(|&i| guard[i] != whole[i]).collect();
                let Some(damage) = canary.damage(begin, &guard) else {
                    assert!(wrong.is_empty());
                    continue;
                };
                let (first, last) = (wrong[0], wrong[wrong.len() - 1]);
                let shown = SHOWN.min(last - first + 1);
                assert_eq!(damage.offset, begin + first);
                assert_eq!(damage.wrong, wrong.len());
                assert_eq!(damage.shown, shown);
                assert_eq!(damage.expected[..shown], whole[first..first + shown]);
                assert_eq!(damage.found[..shown], guard[first..first + shown]);
            }
        },
    );
}

/// A block that was copied onto itself, moved by some bytes, is noticed.
fn shifted_copy() {
    holds((num::usize::ANY, num::u64::ANY), |(frame, number)| {
        let canary = Canary::new(frame, number);
        let mut block = vec![0; 4096];
        for begin in [0, 4096 - GUARD] {
            canary.plant(begin, &mut block[begin..begin + GUARD]);
        }
        let back = block[4096 - GUARD..].to_vec();
        assert!(
            canary.damage(0, &back).is_some(),
            "the back in the place of the front"
        );
        for shift in (1..GUARD).chain([128, 4096 - 2 * GUARD]) {
            let mut shifted = block.clone();
            shifted.copy_within(..4096 - shift, shift);
            let back = &shifted[4096 - GUARD..];
            assert!(
                canary.damage(4096 - GUARD, back).is_some(),
                "{shift} bytes up"
            );

            let mut shifted = block.clone();
            shifted.copy_within(shift.., 0);
            assert!(
                canary.damage(0, &shifted[..GUARD]).is_some(),
                "{shift} bytes down"
            );
        }
    });
}

/// Each block has its own canaries, and new ones each time that it is guarded.
fn of_another_block() {
    let mut seen = HashSet::new();
    for frame in 0..256 {
        for number in 0..256 {
            for begin in BEGINS {
                let guard = planted(Canary::new(frame << 8, number), begin);
                assert!(
                    seen.insert(guard),
                    "frame {frame}, number {number}, begin {begin}"
                );
            }
        }
    }
}

fn unlike_accidents() {
    holds((num::usize::ANY, num::u64::ANY), |(frame, number)| {
        for byte in planted(Canary::new(frame, number), 0) {
            assert!(byte >= 0x80 && ![0xff, 0xaa].contains(&byte), "{byte:#x}");
        }
    });
}
