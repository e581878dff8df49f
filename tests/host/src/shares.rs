// SPDX-License-Identifier: GPL-2.0

//! Compares a store whose pages are in shares with one that has all pages in one place, and lets
//! threads use such a store at the same time.

use crate::{
    logic::{
        shares::{
            Contents,
            Numbers,
            Part,
            Resize,
            Shares,
            BATCH,
            SHARE, //
        },
        stack::Stack, //
    },
    property::holds,
    Case, //
};
use proptest::collection::vec;
use std::{
    cell::Cell,
    sync::{
        atomic::{
            AtomicUsize,
            Ordering::SeqCst, //
        },
        Mutex, //
    },
    thread, //
};

pub(crate) const CASES: &[Case] = &[
    ("shares_are_like_one_store", are_like_one_store),
    (
        "shares_keep_each_page_under_load",
        keep_each_page_under_load,
    ),
    ("shares_seldom_meet", seldom_meet),
    ("shares_change_their_size", change_their_size),
    ("shares_notice_bursts", notice_bursts),
];

thread_local! {
    /// The CPU that this thread runs on.
    static CPU: Cell<usize> = const { Cell::new(0) };
}

/// Stands for a page. Each exists once, and cannot be copied.
#[derive(Debug, PartialEq, Eq)]
struct Page(usize);

type Slots = Box<[Option<Page>]>;

struct TestPart {
    contents: Mutex<Contents<Slots>>,
    numbers: [AtomicUsize; 4],
    /// How often the lock was taken.
    locked: AtomicUsize,
}

impl TestPart {
    fn new(slots: usize, room: usize) -> Self {
        let part = Self {
            contents: Mutex::new(Contents::new((0..slots).map(|_| None).collect(), room)),
            numbers: Default::default(),
            locked: AtomicUsize::new(0),
        };
        part.publish(&part.contents.lock().unwrap());
        part
    }
}

impl Part for TestPart {
    type Page = Page;
    type Slots = Slots;

    fn with<R: Send>(&self, section: impl FnOnce(&mut Contents<Slots>) -> R + Send) -> R {
        self.locked.fetch_add(1, SeqCst);
        let mut contents = self.contents.lock().unwrap();
        let result = section(&mut contents);
        self.publish(&contents);
        result
    }

    fn publish(&self, contents: &Contents<Slots>) {
        let numbers = contents.numbers();
        let all = [numbers.pages, numbers.room, numbers.active, numbers.moves];
        for (published, number) in self.numbers.iter().zip(all) {
            published.store(number, SeqCst);
        }
    }

    fn numbers(&self) -> Numbers {
        let [pages, room, active, moves] = [0, 1, 2, 3].map(|at| self.numbers[at].load(SeqCst));
        Numbers {
            pages,
            room,
            active,
            moves,
        }
    }
}

struct Store {
    common: TestPart,
    shares: Vec<TestPart>,
}

impl Store {
    /// Makes an empty store for `size` pages.
    fn new(cpus: usize, size: usize) -> Self {
        Self {
            common: TestPart::new(size, size),
            shares: (0..cpus).map(|_| TestPart::new(SHARE, 0)).collect(),
        }
    }

    /// Fills the store, as a refill does.
    fn fill(&self, size: usize) {
        self.gather(false);
        for number in 0..size {
            self.put_in_common(Page(number)).unwrap();
        }
    }
}

impl Shares for Store {
    type Part = TestPart;

    fn common(&self) -> &TestPart {
        &self.common
    }

    fn here(&self) -> Option<&TestPart> {
        Some(&self.shares[CPU.get()])
    }

    fn shares(&self) -> impl Iterator<Item = &TestPart> {
        self.shares.iter()
    }
}

/// Whatever CPUs get and put, and whenever shares are gathered: a request fails only if no page is
/// left, and a page is refused only if none is missing. No page is lost.
fn are_like_one_store() {
    let step = (0..4_usize, 0..16_u32, 1..12_usize);
    holds((1..60_usize, vec(step, 0..120)), |(size, steps)| {
        let store = Store::new(4, size);
        let (mut level, mut out) = (0, Vec::new());
        for (cpu, kind, count) in steps {
            CPU.set(cpu);
            match kind {
                0..=6 => {
                    for _ in 0..count {
                        let page = store.take(Stack::pop);
                        assert_eq!(page.is_some(), level != 0);
                        level -= usize::from(page.is_some());
                        out.extend(page);
                    }
                }
                7..=12 => {
                    for number in 0..count {
                        let page = out.pop().unwrap_or(Page(1000 + number));
                        let put = store.put(page);
                        assert_eq!(put.is_ok(), level < size);
                        level += usize::from(put.is_ok());
                        out.extend(put.err());
                    }
                }
                13 => {
                    store.gather(false);
                    let put = store.put_in_common(Page(2000));
                    assert_eq!(put.is_ok(), level < size);
                    level += usize::from(put.is_ok());
                }
                14 => store.gather(true),
                _ => store.gather(false),
            }
            let sum = store.sum();
            assert_eq!((sum.pages, sum.room), (level, size - level));
            for share in &store.shares {
                assert!(share.numbers().pages <= SHARE);
            }
        }
        store.gather(true);
        let Numbers {
            pages,
            room,
            active,
            ..
        } = store.common().numbers();
        assert_eq!((pages, room, active), (level, size - level, 0));
    });
}

/// Threads on four CPUs get and put pages. A thread keeps at most its part of the pages, so no
/// request may fail, although the pages are in the shares of others. At the end all pages are
/// there, each of them once.
fn keep_each_page_under_load() {
    const CPUS: usize = 4;
    const EACH: usize = 3;
    let store = Store::new(CPUS, CPUS * EACH);
    store.fill(CPUS * EACH);
    let failures = AtomicUsize::new(0);
    thread::scope(|scope| {
        for cpu in 0..CPUS {
            let (store, failures) = (&store, &failures);
            scope.spawn(move || {
                CPU.set(cpu);
                for _ in 0..20_000 {
                    let pages: Vec<_> = (0..EACH).filter_map(|_| store.take(Stack::pop)).collect();
                    failures.fetch_add(EACH - pages.len(), SeqCst);
                    for page in pages {
                        failures.fetch_add(usize::from(store.put(page).is_err()), SeqCst);
                    }
                }
            });
        }
        let store = &store;
        scope.spawn(move || (0..2_000).for_each(|_| store.gather(false)));
    });
    let mut numbers: Vec<_> = std::iter::from_fn(|| store.take(Stack::pop))
        .map(|Page(number)| number)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..CPUS * EACH).collect::<Vec<_>>());
    assert_eq!(failures.into_inner(), 0);
}

/// A CPU that only gets pages, or only puts them, takes the common lock once for a batch; one that
/// does both in turn, hardly ever.
fn seldom_meet() {
    const PAGES: usize = 32 * BATCH;
    let store = Store::new(2, PAGES);
    store.fill(PAGES);
    let locked = || store.common.locked.swap(0, SeqCst);
    locked();
    CPU.set(0);
    let pages: Vec<_> = (0..PAGES)
        .map(|_| store.take(Stack::pop).unwrap())
        .collect();
    assert_eq!(locked(), PAGES / BATCH);
    CPU.set(1);
    for page in pages {
        store.put(page).unwrap();
    }
    // For the last room, which is in the share of the other CPU, all parts are searched.
    let puts = locked();
    assert!(puts <= PAGES / BATCH + 3 * SHARE, "{puts} locks");
    for _ in 0..PAGES {
        let page = store.take(Stack::pop).unwrap();
        store.put(page).unwrap();
    }
    assert!(locked() <= 1);
}

/// A store that grows and shrinks at any time has as many pages and as much room as it should.
fn change_their_size() {
    const MOST: usize = 100;
    let step = (0..4_usize, 0..5_u32, 1..60_usize);
    holds((0..MOST, vec(step, 0..80)), |(size, steps)| {
        let store = Store {
            common: TestPart::new(MOST, size),
            ..Store::new(4, 0)
        };
        let (mut size, mut level) = (size, 0);
        for (cpu, kind, count) in steps {
            CPU.set(cpu);
            match kind {
                0 => level -= (0..count).filter_map(|_| store.take(Stack::pop)).count(),
                1 | 2 => level += (0..count).filter(|_| store.put(Page(0)).is_ok()).count(),
                3 => {
                    let more = count.min(MOST - size);
                    store.grow(more);
                    size += more;
                }
                _ => {
                    let (room, mut freed) = (size - level, 0);
                    let removed = store.shrink(count, |_| freed += 1);
                    assert_eq!(removed, count.min(size));
                    assert_eq!(freed, removed.saturating_sub(room), "room goes first");
                    (size, level) = (size - removed, level - freed);
                }
            }
            let sum = store.sum();
            assert_eq!((sum.pages, sum.room), (level, size - level));
        }
    });
}

/// The pages that a burst takes are noticed, up to the rest of a batch for each CPU, and neither
/// refills nor a smaller size count.
fn notice_bursts() {
    holds(
        (1..200_usize, 1..4_usize, 0..50_usize),
        |(burst, cpus, less)| {
            let store = Store::new(4, 300);
            store.fill(300);
            store.take_drawn();
            let _ = store.shrink(less, drop);
            assert_eq!(store.take_drawn(), 0, "a smaller size is no burst");
            let pages: Vec<_> = (0..burst)
                .map(|number| {
                    CPU.set(number % cpus);
                    store.take(Stack::pop).unwrap()
                })
                .collect();
            for page in pages {
                store.put(page).unwrap();
            }
            store.gather(true);
            let drawn = store.take_drawn();
            assert!(
                (burst..burst + cpus * BATCH).contains(&drawn),
                "{drawn} for {burst}"
            );
            assert_eq!(store.take_drawn(), 0);
        },
    );
}
