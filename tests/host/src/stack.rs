// SPDX-License-Identifier: GPL-2.0

//! Compares the stack of fixed capacity with a `Vec`.

use crate::{
    logic::stack::{
        take_in_parts,
        Stack, //
    },
    property::holds,
    Case, //
};
use proptest::{
    bool,
    collection::vec, //
};
use std::{
    cell::Cell,
    rc::Rc, //
};

pub(crate) const CASES: &[Case] = &[
    ("stack_is_like_a_vec", is_like_a_vec),
    (
        "stack_keeps_and_drops_each_value_once",
        drops_each_value_once,
    ),
    ("stack_works_in_borrowed_slots", works_in_borrowed_slots),
    ("stack_takes_what_is_wanted", takes_what_is_wanted),
    ("stack_is_searched_in_parts", is_searched_in_parts),
];

fn slots<T>(capacity: usize) -> Box<[Option<T>]> {
    (0..capacity).map(|_| None).collect()
}

/// After any pushes (`true`) and pops, both have the same length, and give the same answers.
fn is_like_a_vec() {
    holds((0..9_usize, vec(bool::ANY, 0..64)), |(capacity, pushes)| {
        let mut stack = Stack::new(slots(capacity));
        let mut model = Vec::new();
        for (value, push) in pushes.into_iter().enumerate() {
            if push {
                let fits = model.len() < capacity;
                assert_eq!(stack.push(value), if fits { Ok(()) } else { Err(value) });
                if fits {
                    model.push(value);
                }
            } else {
                assert_eq!(stack.pop(), model.pop());
            }
            assert_eq!(stack.len(), model.len());
        }
        while let Some(value) = model.pop() {
            assert_eq!(stack.pop(), Some(value));
        }
        assert_eq!(stack.pop(), None);
    });
}

/// A value that counts the values of its type. It is neither `Copy` nor `Clone`, like a page.
struct Counted(Rc<Cell<isize>>);

impl Counted {
    fn new(alive: &Rc<Cell<isize>>) -> Self {
        alive.set(alive.get() + 1);
        Self(alive.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// At any time, as many values exist as the stack reports, and none after it was dropped.
fn drops_each_value_once() {
    holds((0..9_usize, vec(bool::ANY, 0..64)), |(capacity, pushes)| {
        let alive = Rc::new(Cell::new(0));
        let mut stack = Stack::new(slots(capacity));
        for push in pushes {
            if push {
                drop(stack.push(Counted::new(&alive)));
            } else {
                drop(stack.pop());
            }
            assert_eq!(alive.get(), stack.len() as isize);
        }
        drop(stack);
        assert_eq!(alive.get(), 0);
    });
}

/// Taking gives the topmost wanted value of a range, or nothing if there is none. All other values
/// stay on the stack.
fn takes_what_is_wanted() {
    let range = (0..12_usize, 0..12_usize);
    holds(
        (vec(0..4_u32, 0..9), range, 0..4_u32),
        |(values, (start, end), wanted)| {
            let mut stack = Stack::new(slots(8));
            let mut left = values.clone();
            for &value in &values {
                stack.push(value).unwrap();
            }
            let in_range = start.min(left.len())..end.min(left.len());
            let there = !in_range.is_empty() && left[in_range.clone()].contains(&wanted);
            let taken = stack.take_where(start..end, |&value| value == wanted);
            assert_eq!(taken, there.then_some(wanted));
            if there {
                let last = left[in_range.clone()].iter().rposition(|&v| v == wanted);
                left.swap_remove(in_range.start + last.unwrap());
            }
            assert_eq!(stack.len(), left.len());
            while let Some(value) = left.pop() {
                assert_eq!(stack.pop(), Some(value));
            }
        },
    );
}

/// All wanted values are taken, or those up to the call that finds the stack in use. No call looks
/// at more places than it may.
fn is_searched_in_parts() {
    holds(
        (vec(0..3_u32, 0..20), 1..8_usize, 0..30_usize),
        |(values, at_once, in_use)| {
            let mut stack = Stack::new(slots(values.len()));
            for &value in &values {
                stack.push(value).unwrap();
            }
            let mut calls = 0;
            let result = take_in_parts(stack.len(), at_once, |places| {
                assert!(!places.is_empty() && places.len() <= at_once, "{places:?}");
                calls += 1;
                (calls <= in_use).then(|| stack.take_where(places, |&value| value == 0))
            });
            // Each call takes a value, or has none in its part.
            let all = values.iter().filter(|&&value| value == 0).count();
            let wanted_calls = all + values.len().div_ceil(at_once);
            let taken = values.len() - stack.len();
            let uninterrupted = wanted_calls <= in_use;
            assert_eq!(result, uninterrupted.then_some(taken).ok_or(taken));
            let mut left = 0;
            while let Some(value) = stack.pop() {
                left += usize::from(value == 0);
            }
            assert_eq!(left, all - taken);
        },
    );
}

/// The slots may be borrowed. Values that are left in the stack stay in them.
fn works_in_borrowed_slots() {
    let mut slots = [None; 3];
    let mut stack = Stack::new(&mut slots[..]);
    assert_eq!(
        [1, 2, 3, 4].map(|n| stack.push(n)),
        [Ok(()), Ok(()), Ok(()), Err(4)]
    );
    assert_eq!(stack.pop(), Some(3));
    assert_eq!(slots, [Some(1), Some(2), None]);
}
