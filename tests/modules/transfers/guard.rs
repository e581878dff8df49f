// SPDX-License-Identifier: GPL-2.0

//! Passes guarded pages from holder to holder.

#![forbid(unsafe_code)]

use crate::{
    case::{
        check,
        everywhere,
        Case, //
    },
    context::in_softirq,
    probe, //
};
use kernel::{
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};
use labyrinth::{
    context::{
        Context,
        Kind,
        Task, //
    },
    sentinel::{
        self,
        Occasion, //
    },
    AllowedIn,
    ExclusivePage,
    GfpAtomic,
    Guarded, //
};

/// The bytes of a guard.
const GUARD: usize = 64;

/// The time that the first holder has the pages. The next holder has them for less time before the
/// guards are checked.
const HELD_MS: i64 = 1000;

pub(crate) const CASES: &[&[Case]] = &[
    everywhere!("guard_there_and_back", there_and_back),
    everywhere!("guard_passed_on", passed_on),
    everywhere!("guard_new_each_time", new_each_time),
    &[Case {
        name: "guard_each_to_its_holder",
        run: each_to_its_holder,
    }],
];

fn guarded<C: Context>(cx: &C) -> Result<Guarded>
where
    GfpAtomic: AllowedIn<C>,
{
    let page = ExclusivePage::alloc(cx, GfpAtomic)?.zeroed();
    let mut guarded = Guarded::new(cx, page.into());
    guarded.fill(0x42);
    Ok(guarded)
}

fn there_and_back<C: Context>(cx: &C) -> Result
where
    GfpAtomic: AllowedIn<C>,
{
    let guarded = guarded(cx)?;
    let payload = guarded.len();
    let Ok(pages) = guarded.open() else {
        return Err(EIO);
    };
    let bytes = pages.iter().flat_map(|page| page.iter());
    check!(bytes.filter(|&&byte| byte == 0x42).count() >= payload);
    Ok(())
}

/// Passes guarded pages on twice, then drops them.
fn passed_on<C: Context>(cx: &C) -> Result
where
    GfpAtomic: AllowedIn<C>,
{
    let mut guarded = guarded(cx)?.transfer(cx).transfer(cx);
    check!(guarded.iter().all(|&byte| byte == 0x42));
    check!(guarded.check().is_ok());
    Ok(())
}

/// The address of the guard ahead of the payload.
fn front(guarded: &Guarded) -> usize {
    guarded.as_ptr() as usize - GUARD
}

/// Guards the same page twice. The canaries must differ, because an earlier holder may have copied
/// the first ones.
fn new_each_time<C: Context>(cx: &C) -> Result
where
    GfpAtomic: AllowedIn<C>,
{
    let bytes = |guard: usize| {
        let mut bytes = [0; GUARD];
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = probe::byte(guard + place)?;
        }
        Ok::<_, Error>(bytes)
    };
    let first = guarded(cx)?;
    let guard = front(&first);
    let old = bytes(guard)?;
    let Ok(pages) = first.open() else {
        return Err(EIO);
    };
    let second = Guarded::new(cx, pages);
    check!(front(&second) == guard);
    check!(bytes(guard)? != old);
    Ok(())
}

/// Each damage must be reported once, for the holder that had the pages at that time. The age of
/// the next holder begins when it gets the pages.
fn each_to_its_holder(cx: &mut Task) -> Result {
    let found =
        || [Kind::Task, Kind::Softirq].map(|holder| sentinel::found(Occasion::Transfer, holder));
    let guarded = guarded(cx)?;
    let guard = front(&guarded);
    let [task, softirq] = found();
    fsleep(Delta::from_millis(HELD_MS));
    probe::flip(guard);
    let mut guarded = in_softirq(cx, move |cx| guarded.transfer(cx))?;
    check!(found() == [task + 1, softirq]);
    check!(guarded.check().is_ok());

    probe::flip(guard);
    let Err(corruption) = guarded.check() else {
        return Err(EIO);
    };
    check!(corruption.holder == Kind::Softirq);
    check!(corruption.times == 1);
    check!(corruption.age < HELD_MS as u64 * 1_000_000);
    drop(guarded);
    check!(found() == [task + 1, softirq]);
    Ok(())
}
