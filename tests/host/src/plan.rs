// SPDX-License-Identifier: GPL-2.0

//! Tests which state of a zone and of a list the squeeze aims at.

use crate::{
    property::holds,
    Case, //
};
use logic::{
    aim,
    burst,
    from_zone,
    List, //
};
use proptest::strategy::Strategy;

#[path = "../../../rust/squeeze/plan.rs"]
mod logic;

pub(crate) const CASES: &[Case] = &[
    ("plan_of_known_refills", of_known_refills),
    (
        "plan_burst_is_that_of_the_kernel",
        burst_is_that_of_the_kernel,
    ),
    ("plan_aim_gives_each_number", aim_gives_each_number),
];

const LIST: List = List {
    pages: 0,
    others: 0,
    high: 500,
    batch: 63,
    scale: 0,
    max_scale: 5,
};

/// Refills of 63, 126 and 252 pages, then of 500 - 63.
fn of_known_refills() {
    for (above, served) in [
        (-5, 0),
        (0, 0),
        (1, 1),
        (63, 1),
        (64, 64),
        (189, 64),
        (190, 190),
    ] {
        assert_eq!(from_zone(above, &LIST), served, "{above} above");
    }
    assert_eq!(from_zone(441 + 437, &LIST), 442);
    assert_eq!(from_zone(441 + 438, &LIST), 441 + 437 + 1);
    let with = List { pages: 9, ..LIST };
    assert_eq!((burst(0, &with), burst(1, &with)), (0, 10));
    let others = List {
        others: 400,
        ..LIST
    };
    assert_eq!(from_zone(64, &others), 64);
    assert_eq!(from_zone(64 + 126, &others), 63 * 3 + 1);
}

/// Any list that the kernel can have.
fn lists() -> impl Strategy<Value = List> {
    (0..3000u64, 0..3000u64, 0..3000u64, 0..64u64, 0..=5u32).prop_map(
        |(pages, others, high, batch, scale)| List {
            pages,
            others,
            high,
            batch,
            scale,
            max_scale: 5,
        },
    )
}

/// A burst in a model with the kernel's own variables, page by page.
fn model(above: i64, list: &List) -> u64 {
    let (mut free, mut in_list, mut scale, mut served) = (above, list.pages, list.scale, 0);
    let batch = list.batch.max(1);

    while free > 0 {
        if in_list == 0 {
            let most = (list.high as i64 - list.others as i64 - batch as i64).max(batch as i64);
            let mut refill = (batch << scale) as i64;
            if refill <= most && scale < list.max_scale {
                scale += 1;
            }
            refill = refill.min(most);
            if list.high < batch {
                refill = 1;
            }
            free -= refill;
            in_list = refill as u64;
        }
        in_list -= 1;
        served += 1;
    }
    served
}

fn burst_is_that_of_the_kernel() {
    holds((lists(), -100..20_000i64), |(list, above)| {
        assert_eq!(burst(above, &list), model(above, &list));
    });
}

/// A burst gets each number of pages exactly, also if the counter is wrong by a quarter of a batch.
fn aim_gives_each_number() {
    holds((lists(), 1..20_000u64), |(list, pages)| {
        let aim = aim(pages, &list);
        let ready = List {
            pages: aim.in_list,
            ..list
        };
        let slack = if list.high < list.batch {
            0
        } else {
            list.batch / 4
        } as i64;
        for above in [aim.above - slack, aim.above, aim.above + slack] {
            assert_eq!(model(above, &ready), pages);
        }
    });
}
