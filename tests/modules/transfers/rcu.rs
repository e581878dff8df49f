// SPDX-License-Identifier: GPL-2.0

//! Removes values while they are in use.

#![forbid(unsafe_code)]

use crate::case::{
    check,
    Case, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};
use labyrinth::{
    context::{
        NoToken,
        Task, //
    },
    sync::{
        Handles,
        RcuSlot, //
    }, //
};

pub(crate) const CASES: &[&[Case]] = &[&[
    Case {
        name: "rcu_publication_dropped_in_use",
        run: publication_dropped_in_use,
    },
    Case {
        name: "rcu_value_removed_while_borrowed",
        run: value_removed_while_borrowed,
    },
]];

/// A value that sets a flag when it is dropped.
struct Value(Arc<Atomic<bool>>);

impl Drop for Value {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

fn value() -> Result<(Value, Arc<Atomic<bool>>)> {
    let freed = Arc::new(Atomic::new(false), GFP_KERNEL)?;
    Ok((Value(freed.clone()), freed))
}

static TIER: RcuSlot<Value> = RcuSlot::new();
static TABLE: Handles<Value> = Handles::new();

/// Drops a publication while this task uses the value. Waiting for its users would wait for this
/// task, so the value is leaked.
fn publication_dropped_in_use(_cx: &mut Task) -> Result {
    let (one, freed) = value()?;
    let publication = TIER.publish(one)?;
    let intact = TIER.with(|value| {
        drop(publication);
        !value.0.load(Relaxed)
    });
    check!(intact == Some(true) && !freed.load(Relaxed));
    check!(TIER.with(|_| ()).is_none());

    let (two, freed) = value()?;
    let publication = TIER.publish(two)?;
    check!(TIER.with(|value| value.0.load(Relaxed)) == Some(false));
    drop(publication);
    check!(freed.load(Relaxed) && TIER.with(|_| ()).is_none());
    Ok(())
}

/// Removes a value from a table in the same situation. The value stays in the table.
fn value_removed_while_borrowed(_cx: &mut Task) -> Result {
    let (value, freed) = value()?;
    let handle = TABLE.insert(value)?;
    let (removed, intact) = TABLE
        .with(handle, &NoToken, |value, _| {
            (TABLE.remove(handle).is_some(), !value.0.load(Relaxed))
        })
        .ok_or(ENOENT)?;
    check!(intact && !removed && !freed.load(Relaxed));

    check!(TABLE.remove(handle).is_some());
    check!(freed.load(Relaxed) && TABLE.with(handle, &NoToken, |_, _| ()).is_none());
    Ok(())
}
