// SPDX-License-Identifier: GPL-2.0

//! A pool keeps only blocks of its own form.

#![forbid(unsafe_code)]

use crate::case::{
    check,
    Case, //
};
use kernel::prelude::*;
use labyrinth::{
    context::Task,
    pool::{
        Priority,
        Request, //
    },
    ExclusivePages,
    GfpAtomic,
    GfpNoLock,
    Place,
    Pool,
    PoolConfig,
    Shape,
    ZoneLimit, //
};

pub(crate) const CASES: &[&[Case]] = &[&[Case {
    name: "pool_keeps_its_form",
    run: keeps_its_form,
}]];

const ORDER: u32 = 2;

/// Gives blocks of another form to a pool, and takes blocks from it. The pool must never hand out
/// those that it was given.
fn keeps_its_form(cx: &mut Task) -> Result {
    for compound in [false, true] {
        let config = PoolConfig {
            order: ORDER,
            compound,
            reserve: 4,
            ..PoolConfig::default()
        };
        let pool = Pool::new(cx, c"transfers", config)?;
        for _ in 0..50 {
            for nolock in [false, true] {
                let shape = Shape {
                    order: ORDER,
                    compound: !compound,
                    zones: ZoneLimit::None,
                };
                let foreign = ExclusivePages::alloc(cx, GfpAtomic, shape, Place::Any)?;
                check!(foreign.is_compound() != compound);
                let mut request = Request::new(Priority::High);
                let own = if nolock {
                    pool.put_with(cx, GfpNoLock, foreign);
                    pool.get_with(cx, GfpNoLock, &mut request)
                } else {
                    pool.put(cx, foreign);
                    pool.get(cx, &mut request)
                };
                // Without waiting for a lock, the allocator may have none.
                let Some(own) = own else {
                    check!(nolock);
                    continue;
                };
                check!(own.order() == ORDER && own.is_compound() == compound);
                pool.put(cx, own);
            }
        }
    }
    Ok(())
}
