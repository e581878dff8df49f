// SPDX-License-Identifier: GPL-2.0

//! Tests of the stacks of each CPU.

use super::Random;
use crate::ffi::{
    cpu::online::possible,
    percpu::stack::CpuStack, //
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

/// A value that counts the values of its kind, like a page neither `Copy` nor `Clone`.
struct Counted {
    number: u64,
    alive: Arc<Atomic<i64>>,
}

impl Counted {
    fn new(number: u64, alive: &Arc<Atomic<i64>>) -> Self {
        alive.add(1, Relaxed);
        let alive = alive.clone();
        Self { number, alive }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.add(-1, Relaxed);
    }
}

#[kunit_tests(labyrinth_stack)]
mod tests {
    use super::*;

    const CAPACITY: usize = 7;
    const STEPS: u64 = 2000;

    /// The stack of a CPU gives the answers of a vector, and the stacks of other CPUs stay as they
    /// are. As many values exist as the stacks have, and none after the end.
    #[test]
    fn stack_is_like_a_vector() -> Result {
        let alive = Arc::new(Atomic::new(0_i64), GFP_KERNEL)?;
        let stacks = CpuStack::<Counted, ()>::new(CAPACITY, || ())?;
        let (cpu, others) = (0, possible().filter(|&cpu| cpu != 0));
        let mut model: KVec<u64> = KVec::with_capacity(CAPACITY, GFP_KERNEL)?;
        let mut random = Random(3);

        for other in others {
            let value = Counted::new(0, &alive);
            let kept = stacks.with_of(other, |stack, ()| stack.push(value).is_ok());
            assert_eq!(kept, Some(true));
        }
        let elsewhere = alive.load(Relaxed);
        for number in 0..STEPS {
            match random.next() % 5 {
                0..=2 => {
                    let value = Counted::new(number, &alive);
                    let refused = stacks.with_of(cpu, |stack, ()| stack.push(value).err());
                    let refused = refused.ok_or(EBUSY)?.map(|value| value.number);
                    let expected = model.push_within_capacity(number).is_err();
                    assert_eq!(refused, expected.then_some(number));
                }
                3 => {
                    let value = stacks.with_of(cpu, |stack, ()| stack.pop()).ok_or(EBUSY)?;
                    assert_eq!(value.map(|value| value.number), model.pop());
                }
                _ => {
                    let start = (random.next() % 4) as usize;
                    let wanted = |number: u64| number % 3 == 0;
                    let taken = stacks.with_of(cpu, move |stack, ()| {
                        stack.take_where(start..5, |value| wanted(value.number))
                    });
                    let taken = taken.ok_or(EBUSY)?.map(|value| value.number);
                    let end = model.len().min(5);
                    let found = (start..end).rev().find(|&at| wanted(model[at]));
                    let expected = found.map(|at| {
                        let top = model.len() - 1;
                        model.swap(at, top);
                        model.pop()
                    });
                    assert_eq!(taken, expected.flatten());
                }
            }
            assert_eq!(stacks.len_of(cpu), model.len());
            assert_eq!(alive.load(Relaxed), elsewhere + model.len() as i64);
        }
        assert_eq!(
            stacks.shared().map(|(_, len, ())| len as i64).sum::<i64>(),
            alive.load(Relaxed)
        );
        assert!(alive.load(Relaxed) > 0);
        drop(stacks);
        assert_eq!(alive.load(Relaxed), 0);
        Ok(())
    }

    /// A stack without space refuses each value. One that does not fit into per-CPU memory is not
    /// made.
    #[test]
    fn capacity_has_bounds() -> Result {
        let none = CpuStack::<u64, ()>::new(0, || ())?;
        let refused = none.with(|stack, ()| (stack.push(1), stack.pop(), stack.len()));
        assert_eq!(refused, Some((Err(1), None, 0)));
        assert!(CpuStack::<u64, ()>::new(4096, || ()).is_err());
        assert!(CpuStack::<u64, ()>::new(usize::MAX, || ()).is_err());
        Ok(())
    }
}
