// SPDX-License-Identifier: GPL-2.0

//! Compares chains of sources with a loop over a list.

use crate::{
    logic::{
        fallback::{
            AsTier,
            Fallback, //
        },
        page_source::PageSource,
        request::{
            Priority,
            Request, //
        },
        tier::Tier, //
    },
    property::holds,
    Case, //
};
use proptest::{
    array::uniform4,
    collection::vec,
    option,
    sample::select, //
};
use std::{
    cell::RefCell,
    collections::BTreeSet, //
};

pub(crate) const CASES: &[Case] = &[
    ("chain_is_like_a_loop", is_like_a_loop),
    (
        "chain_asks_in_order_and_no_further",
        asks_in_order_and_no_further,
    ),
    (
        "chain_asks_only_tiers_for_the_priority",
        asks_only_tiers_for_the_priority,
    ),
];

/// Stands for a page. Each exists once, and cannot be copied.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Page(u32);

/// A tier with space for some pages. It refuses requests below a priority itself.
struct Store {
    tier: Tier,
    least: Priority,
    space: usize,
    pages: RefCell<Vec<Page>>,
}

impl Store {
    fn as_tier(&self) -> AsTier<'_, Self> {
        AsTier(self.tier, self)
    }
}

impl PageSource<()> for Store {
    type Pages = Page;

    fn get(&self, (): &(), request: &mut Request) -> Option<Page> {
        request.enter(self.tier);
        if request.priority() < self.least {
            return None;
        }
        self.pages.borrow_mut().pop()
    }

    fn put(&self, (): &(), page: Page) -> Result<Tier, Page> {
        let mut pages = self.pages.borrow_mut();
        if pages.len() == self.space {
            return Err(page);
        }
        pages.push(page);
        Ok(self.tier)
    }
}

/// Makes the first four tiers with these sizes, all full.
fn stores(spaces: [usize; 4], least: [Priority; 4]) -> [Store; 4] {
    let mut next = 0;
    std::array::from_fn(|i| Store {
        tier: Tier::ALL[i],
        least: least[i],
        space: spaces[i],
        pages: RefCell::new(
            (0..spaces[i])
                .map(|_| {
                    next += 1;
                    Page(next)
                })
                .collect(),
        ),
    })
}

/// Compares both ways to nest four tiers with a plain loop. The same pages must come from and go to
/// the same tiers, and each page must always be in exactly one place.
fn is_like_a_loop() {
    let spaces = uniform4(0..4_usize);
    let least = uniform4(select(&Priority::ALL[..]));
    // A step with a priority gets a page. A step without one puts back the page that was got first.
    let steps = vec(option::of(select(&Priority::ALL[..])), 0..48);
    holds((spaces, least, steps), |(spaces, least, steps)| {
        let right_stores = stores(spaces, least);
        let [a, b, c, d] = right_stores.each_ref().map(Store::as_tier);
        let right = Fallback(a, Fallback(b, Fallback(c, d)));
        let left_stores = stores(spaces, least);
        let [e, f, g, h] = left_stores.each_ref().map(Store::as_tier);
        let left = Fallback(Fallback(Fallback(e, f), g), h);
        let list = stores(spaces, least);
        let all: usize = spaces.iter().sum();

        let mut held: [Vec<Page>; 3] = Default::default();
        for step in steps {
            if let Some(priority) = step {
                let mut requests = [Request::new(priority); 3];
                let by_loop = list
                    .iter()
                    .find_map(|store| store.as_tier().get(&(), &mut requests[0]));
                let got = [
                    by_loop,
                    right.get(&(), &mut requests[1]),
                    left.get(&(), &mut requests[2]),
                ];
                assert!(got[0] == got[1] && got[0] == got[2], "{got:?}");
                let paths = requests.map(|request| Tier::ALL.map(|tier| request.has_been_to(tier)));
                assert!(paths[0] == paths[1] && paths[0] == paths[2], "{paths:?}");
                for (pages, page) in held.iter_mut().zip(got) {
                    pages.extend(page);
                }
            } else if !held[0].is_empty() {
                let [one, two, three] = &mut held;
                let by_loop =
                    list.iter()
                        .try_fold(one.remove(0), |page, tier| match tier.put(&(), page) {
                            Ok(tier) => Err(tier),
                            Err(page) => Ok(page),
                        });
                let kept = [
                    by_loop.map_or_else(Ok, Err),
                    right.put(&(), two.remove(0)),
                    left.put(&(), three.remove(0)),
                ];
                assert!(kept[0] == kept[1] && kept[0] == kept[2], "{kept:?}");
                for (pages, kept) in held.iter_mut().zip(kept) {
                    pages.extend(kept.err());
                }
            }
            for (stores, held) in [&right_stores, &left_stores].iter().zip(&held[1..]) {
                let inside: Vec<u32> = stores
                    .iter()
                    .flat_map(|store| {
                        store
                            .pages
                            .borrow()
                            .iter()
                            .map(|page| page.0)
                            .collect::<Vec<_>>()
                    })
                    .chain(held.iter().map(|page| page.0))
                    .collect();
                let different: BTreeSet<u32> = inside.iter().copied().collect();
                assert_eq!((inside.len(), different.len()), (all, all), "{inside:?}");
            }
        }
    });
}

/// All tiers before the one that serves were asked, then that one, and none after it.
fn asks_in_order_and_no_further() {
    for serves in 0..=4 {
        let spaces = std::array::from_fn(|i| usize::from(i >= serves));
        let stores = stores(spaces, [Priority::Low; 4]);
        let [a, b, c, d] = stores.each_ref().map(Store::as_tier);
        let mut request = Request::new(Priority::High);
        let page = Fallback(a, Fallback(b, Fallback(c, d))).get(&(), &mut request);
        assert_eq!(page.is_some(), serves < 4);
        for (number, tier) in Tier::ALL.into_iter().enumerate().take(4) {
            assert_eq!(
                request.has_been_to(tier),
                number <= serves,
                "{serves}: {tier:?}"
            );
        }
        assert_eq!(request.last_tier(), Some(Tier::ALL[serves.min(3)]));
    }
}

/// Requests skip the tiers of the table that are for higher priorities. Pages are given back to all
/// tiers.
fn asks_only_tiers_for_the_priority() {
    for priority in Priority::ALL {
        for tier in Tier::ALL {
            let store = Store {
                tier,
                least: Priority::Low,
                space: 1,
                pages: RefCell::new(vec![Page(1)]),
            };
            let source = store.as_tier();
            let mut request = Request::new(priority);
            let page = source.get(&(), &mut request);
            // The reserves are not for all requests.
            let open = match tier {
                Tier::Reserve => priority != Priority::Low,
                Tier::Emergency => priority == Priority::High,
                _ => true,
            };
            assert_eq!(page, open.then_some(Page(1)), "{priority:?} {tier:?}");
            assert_eq!(request.has_been_to(tier), open, "{priority:?} {tier:?}");
            if let Some(page) = page {
                assert_eq!(source.put(&(), page), Ok(tier));
            }
        }
    }
}
