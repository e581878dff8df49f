// SPDX-License-Identifier: GPL-2.0

//! Tests of the plan of the squeeze: the state of a zone and of a list that it aims at.

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
use work::Work;

#[path = "../../../rust/squeeze/plan.rs"]
mod logic;
#[path = "../../../rust/squeeze/work.rs"]
mod work;

pub(crate) const CASES: &[Case] = &[
    ("plan_of_known_refills", of_known_refills),
    (
        "plan_burst_is_that_of_the_kernel",
        burst_is_that_of_the_kernel,
    ),
    ("plan_aim_gives_each_number", aim_gives_each_number),
    ("plan_aim_at_nothing", aim_at_nothing),
    ("plan_of_much_memory", of_much_memory),
    ("plan_work_is_bounded", work_is_bounded),
];

const LIST: List = List {
    pages: 0,
    others: 0,
    high: 500,
    batch: 63,
    scale: 0,
    max_scale: 5,
    drift: 0,
};

/// The refills have 63, 126 and 252 pages, then 500 - 63.
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

/// Generates any list that the kernel can have.
fn lists() -> impl Strategy<Value = List> {
    (
        0..3000u64,
        0..3000u64,
        0..3000u64,
        0..64u64,
        0..=5u32,
        0..126u64,
    )
        .prop_map(|(pages, others, high, batch, scale, drift)| List {
            pages,
            others,
            high,
            batch,
            scale,
            max_scale: 5,
            drift,
        })
}

/// Models a burst page by page, with the variables of the kernel. From the first refill on, the
/// counter of the zone shows `late` more pages than are free.
fn model(above: i64, list: &List, late: i64) -> u64 {
    let (mut free, mut in_list, mut scale, mut served) = (above, list.pages, list.scale, 0);
    let batch = list.batch.max(1);
    let mut first = true;

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
            if first {
                free += late;
                first = false;
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
        assert_eq!(burst(above, &list), model(above, &list, 0));
    });
}

/// A burst gets each number of pages exactly, for each number of free pages in the range, and for
/// each error of the counter that the refills are large enough for.
fn aim_gives_each_number() {
    holds(
        (lists(), 1..20_000u64, 0..=100i64, 0..=100i64),
        |(list, pages, place, wrong)| {
            let aim = aim(pages, &list);
            let ready = List {
                pages: aim.in_list,
                ..list
            };
            let above = aim.least + (aim.most - aim.least) * place / 100;
            // Pages are taken before the range ends, and not more than others may have left.
            assert!(aim.is_high(aim.most + 1) && !aim.is_high(aim.low()));
            assert!((aim.least..=aim.most).contains(&aim.low()));
            assert_eq!(model(above, &ready, 0), pages);
            let refill = if list.high < list.batch {
                1
            } else {
                list.batch.max(1)
            };
            if 3 * list.drift < refill {
                // The counter falls by up to the drift more than the pages, or by up to twice the
                // drift less.
                let drift = list.drift as i64;
                let late = 3 * drift * wrong / 100 - drift;
                assert_eq!(model(above, &ready, late), pages, "{late} late");
            }
        },
    );
}

/// For bursts that get no pages, the zone must be at its limit.
fn aim_at_nothing() {
    let aim = aim(0, &LIST);
    assert_eq!((aim.most, aim.in_list), (0, 0));
    assert!(aim.least < 0);
    assert_eq!(aim.low(), 0);
    assert!(aim.is_high(1) && !aim.is_high(0));
}

/// The time does not depend on the number of pages, even if each refill has one page. Otherwise this
/// would take centuries.
fn of_much_memory() {
    let short = List { high: 0, ..LIST };
    let most = i64::MAX as u64;
    for list in [LIST, short] {
        let served = from_zone(i64::MAX, &list);
        assert!(served > most - 500 && served <= most, "{served}");
        let aim = aim(1 << 62, &list);
        assert!(aim.least > 1 << 61, "{aim:?}");
    }
    assert_eq!(from_zone(i64::MAX, &short), most);
}

/// The sections of all CPUs together take or give back a bounded number of pages, and each section
/// takes some.
fn work_is_bounded() {
    for cpus in [0, 1, 2, 7, 32, 1000] {
        for pages in [1, 16, 1024] {
            let mut work = Work::shared_by(cpus);
            let mut done = 0;
            while work.begin(pages) {
                done += pages;
            }
            assert!(done >= 64, "{cpus} CPUs, {done} pages");
            // The last block may exceed the bound.
            let bound = (4096 / cpus.max(1)).max(64);
            assert!(done < bound + pages, "{cpus} CPUs, {done} pages");
        }
    }
}
