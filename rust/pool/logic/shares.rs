// SPDX-License-Identifier: GPL-2.0

//! A store of pages that each CPU has a share of.
//!
//! A store has a size, which is fixed or which its owner changes. Each unit of that size is a page,
//! or *room* for a page that was taken out. Pages and room are in *parts*: a common part, and a
//! share for each CPU. A CPU gets and puts pages in its own share. It moves a batch between its
//! share and the common part when its share has no page, or no room. So CPUs seldom meet, but any
//! CPU can get any page:
//!
//! ```text
//!   get:  own share ──► a batch from the common part ──► one page of any part
//!   put:  own share ──► a batch of room from the common part ──► room in any part
//! ```
//!
//! A call fails only if no part has a page, or room.
//!
//! # Locks
//!
//! Each part has a lock. Code that holds the lock of a share may take that of the common part, and
//! no other lock.

use super::stack::Stack;
use core::ops::{
    DerefMut,
    Range, //
};

/// The number of pages, and of units of room, that move at once.
pub(crate) const BATCH: usize = 8;

/// The number of pages that fit into a share.
pub(crate) const SHARE: usize = 2 * BATCH;

/// How often a search of all parts is repeated because others moved pages meanwhile.
const SEARCHES: usize = 8;

/// The contents of a part, behind its lock.
pub(crate) struct Contents<S> {
    pages: Stack<S>,
    room: usize,
    /// Of a share: 1 if it has had pages or room since it was last emptied. Of the common part: the
    /// number of such shares.
    active: usize,
    /// How often pages or room were moved into or out of the common part.
    moves: usize,
    /// Of the common part: the number of pages at the last call of [`Resize::take_drawn`], and the
    /// smallest number since.
    mark: usize,
    low: usize,
}

/// The numbers of a part that all code may read without the lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// The number of pages.
    pub(crate) pages: usize,
    /// The number of pages that may come.
    pub(crate) room: usize,
    /// See [`Contents`].
    pub(crate) active: usize,
    /// See [`Contents`].
    pub(crate) moves: usize,
}

impl<T, S: DerefMut<Target = [Option<T>]>> Contents<S> {
    /// Makes a part without pages, with as many slots as there can be pages.
    pub(crate) fn new(slots: S, room: usize) -> Self {
        Self {
            pages: Stack::new(slots),
            room,
            active: 0,
            moves: 0,
            mark: 0,
            low: 0,
        }
    }

    /// Returns the numbers, for [`Part::publish`].
    #[inline(always)]
    pub(crate) fn numbers(&self) -> Numbers {
        Numbers {
            pages: self.pages.len(),
            room: self.room,
            active: self.active,
            moves: self.moves,
        }
    }

    /// Takes the page that `pick` takes out of the stack. It leaves room.
    #[inline(always)]
    fn take(&mut self, pick: impl FnOnce(&mut Stack<S>) -> Option<T>) -> Option<T> {
        let page = pick(&mut self.pages)?;
        self.room += 1;
        Some(page)
    }

    /// Puts a page where there is room, unless all slots have pages. The error has the page.
    #[inline(always)]
    fn put(&mut self, page: T) -> Result<(), T> {
        if self.room == 0 {
            return Err(page);
        }
        self.pages.push(page)?;
        self.room -= 1;
        Ok(())
    }

    /// Like [`Stack::take_where`]. The page leaves room.
    pub(crate) fn take_where(
        &mut self,
        range: Range<usize>,
        wanted: impl Fn(&T) -> bool,
    ) -> Option<T> {
        self.take(|pages| pages.take_where(range, wanted))
    }

    /// Notes that requests have taken pages out of the common part.
    fn drawn(&mut self) {
        self.low = self.low.min(self.pages.len());
    }

    /// Moves up to `count` pages to another part.
    fn move_pages(&mut self, to: &mut Self, count: usize) {
        for _ in 0..count {
            let Some(page) = self.pages.pop() else { break };
            if let Err(page) = to.pages.push(page) {
                // The slot that the page came from is free.
                let _ = self.pages.push(page);
                break;
            }
        }
    }

    /// Moves up to `count` units of room to another part.
    fn move_room(&mut self, to: &mut Self, count: usize) {
        let count = count.min(self.room);
        self.room -= count;
        to.room += count;
    }
}

/// A part of a store.
pub(crate) trait Part: Sync {
    /// A page.
    type Page: Send;
    /// The memory of the pages.
    type Slots: DerefMut<Target = [Option<Self::Page>]> + Send;

    /// Runs `section` with the lock of this part held, then publishes the numbers of pages and
    /// room.
    fn with<R: Send>(&self, section: impl FnOnce(&mut Contents<Self::Slots>) -> R + Send) -> R;

    /// Publishes all numbers of `contents`, which must be those of this part.
    fn publish(&self, contents: &Contents<Self::Slots>);

    /// Returns the numbers that were published last. Any context.
    fn numbers(&self) -> Numbers;
}

/// Takes a page out of a stack.
pub(crate) trait Pick<P: Part>:
    Fn(&mut Stack<P::Slots>) -> Option<P::Page> + Copy + Send
{
}
impl<P: Part, F: Fn(&mut Stack<P::Slots>) -> Option<P::Page> + Copy + Send> Pick<P> for F {}

/// A store whose pages are in parts.
pub(crate) trait Shares {
    /// The parts.
    type Part: Part;

    /// Returns the common part.
    fn common(&self) -> &Self::Part;

    /// Returns the share of the CPU that this runs on, or was a moment ago. A store of no size has
    /// none.
    fn here(&self) -> Option<&Self::Part>;

    /// Returns all shares.
    fn shares(&self) -> impl Iterator<Item = &Self::Part>;

    /// Returns the sum of the numbers of all parts.
    fn sum(&self) -> Numbers {
        let common = self.common().numbers();
        self.shares().fold(common, |sum, share| {
            let share = share.numbers();
            Numbers {
                pages: sum.pages + share.pages,
                room: sum.room + share.room,
                ..sum
            }
        })
    }

    /// Takes the first page that `pick` takes.
    #[inline(always)]
    fn take(&self, pick: impl Pick<Self::Part>) -> Option<<Self::Part as Part>::Page> {
        let (here, common) = (self.here()?, self.common());
        if here.numbers().pages == 0 {
            let common = common.numbers();
            // An empty store is common in a storm. This may miss a page that has just come back.
            if common.pages == 0 && common.active == 0 {
                return None;
            }
        }
        let page = here.with(move |share| {
            if share.pages.len() == 0 {
                top_up(here, share, common);
            }
            share.take(pick)
        });
        match page {
            None => self.take_elsewhere(pick),
            page => page,
        }
    }

    /// Takes a page from any part.
    #[cold]
    #[inline(never)]
    fn take_elsewhere(&self, pick: impl Pick<Self::Part>) -> Option<<Self::Part as Part>::Page> {
        let common = self.common();
        for _ in 0..SEARCHES {
            let moves = common.numbers().moves;
            let page = common.with(move |common| {
                let page = common.take(pick);
                common.drawn();
                page
            });
            if page.is_some() {
                return page;
            }
            for share in self.shares().filter(|share| share.numbers().pages != 0) {
                if let Some(page) = share.with(move |share| share.take(pick)) {
                    return Some(page);
                }
            }
            // A page may have been moved from a part that was not searched yet to one that was.
            if common.numbers().moves == moves {
                return None;
            }
        }
        None
    }

    /// Puts a page where there is room. The error has the page if there is none.
    #[inline(always)]
    fn put(&self, page: <Self::Part as Part>::Page) -> Result<(), <Self::Part as Part>::Page> {
        let (Some(here), common) = (self.here(), self.common()) else {
            return Err(page);
        };
        if here.numbers().room == 0 {
            let common = common.numbers();
            // A full store is common when there is no storm.
            if common.room == 0 && common.active == 0 {
                return Err(page);
            }
        }
        let put = here.with(|share| {
            if share.room == 0 || share.pages.len() == SHARE {
                make_room(here, share, common);
            }
            share.put(page)
        });
        match put {
            Err(page) => self.put_elsewhere(page),
            put => put,
        }
    }

    /// Puts a page into any part.
    #[cold]
    #[inline(never)]
    fn put_elsewhere(
        &self,
        page: <Self::Part as Part>::Page,
    ) -> Result<(), <Self::Part as Part>::Page> {
        let (common, mut page) = (self.common(), page);
        for _ in 0..SEARCHES {
            let moves = common.numbers().moves;
            page = match common.with(|common| common.put(page)) {
                Ok(()) => return Ok(()),
                Err(page) => page,
            };
            for share in self.shares().filter(|share| share.numbers().room != 0) {
                // The room goes to the common part, which has a slot for each page.
                let put = share.with(|from| {
                    common.with(|to| {
                        from.move_room(to, 1);
                        moved((share, from), (common, to));
                        to.put(page)
                    })
                });
                page = match put {
                    Ok(()) => return Ok(()),
                    Err(page) => page,
                };
            }
            if common.numbers().moves == moves {
                break;
            }
        }
        Err(page)
    }

    /// Puts a page into the common part, where all CPUs find it. For refills, after
    /// [`Self::gather`]. The error has the page if there is no room in that part.
    fn put_in_common(
        &self,
        page: <Self::Part as Part>::Page,
    ) -> Result<(), <Self::Part as Part>::Page> {
        self.common().with(|common| common.put(page))
    }

    /// Moves the room of all shares to the common part, and their pages if `pages` is true.
    fn gather(&self, pages: bool) {
        let common = self.common();
        if common.numbers().active == 0 {
            return;
        }
        for share in self.shares() {
            share.with(|from| {
                if from.active == 0 || (from.room == 0 && !pages) {
                    return;
                }
                common.with(|to| {
                    from.move_room(to, usize::MAX);
                    if pages {
                        from.move_pages(to, usize::MAX);
                    }
                    moved((share, from), (common, to));
                });
            });
        }
    }
}

/// Changing the size of a store. For one task at a time.
pub(crate) trait Resize: Shares {
    /// Returns how many pages requests have taken out of the common part since the last call: the
    /// largest difference to the number at that call. They move a batch at a time.
    fn take_drawn(&self) -> usize {
        self.common().with(|common| {
            let drawn = common.mark.saturating_sub(common.low);
            common.mark = common.pages.len();
            common.low = common.mark;
            drawn
        })
    }

    /// Adds room. There must be slots for it in the common part.
    fn grow(&self, count: usize) {
        self.common().with(move |common| common.room += count);
    }

    /// Takes out `count` units of room and, if there is not as much, pages, which are passed to
    /// `sink`. Returns how many units that were. Pages and room that others move meanwhile may stay.
    fn shrink(&self, count: usize, mut sink: impl FnMut(<Self::Part as Part>::Page)) -> usize {
        self.gather(true);
        let mut removed = self.common().with(move |common| {
            let room = count.min(common.room);
            common.room -= room;
            room
        });
        while removed < count {
            // This is no request, so it does not change `low`.
            let Some(page) = self.common().with(|common| common.pages.pop()) else {
                break;
            };
            sink(page);
            removed += 1;
        }
        removed
    }
}
impl<S: Shares> Resize for S {}

/// Notes that something was moved between a share and the common part, and publishes the numbers
/// of both. Code that finds nothing in the common part from now on must find it in the share.
fn moved<P: Part>(
    (share, of_share): (&P, &mut Contents<P::Slots>),
    (common, of_common): (&P, &mut Contents<P::Slots>),
) {
    let active = usize::from(of_share.room != 0 || of_share.pages.len() != 0);
    of_common.active = of_common.active + active - of_share.active;
    of_common.moves = of_common.moves.wrapping_add(1);
    of_share.active = active;
    share.publish(of_share);
    common.publish(of_common);
}

/// Moves a batch of pages to a share that has none, and returns the room that is more than a batch.
#[cold]
#[inline(never)]
fn top_up<P: Part>(here: &P, share: &mut Contents<P::Slots>, common: &P) {
    common.with(|from| {
        let more = share.room.saturating_sub(BATCH);
        // A move makes others search again, so note none if there is nothing to move.
        if from.pages.len() == 0 && more == 0 {
            return;
        }
        from.move_pages(share, BATCH);
        from.drawn();
        share.move_room(from, more);
        moved((here, share), (common, from));
    });
}

/// Moves a batch of room to a share that has none, and a batch of pages from a share without a free
/// slot.
#[cold]
#[inline(never)]
fn make_room<P: Part>(here: &P, share: &mut Contents<P::Slots>, common: &P) {
    common.with(|other| {
        let full = share.pages.len() == SHARE;
        if !full && other.room == 0 {
            return;
        }
        if full {
            share.move_pages(other, BATCH);
        }
        if share.room == 0 {
            other.move_room(share, BATCH);
        }
        moved((here, share), (common, other));
    });
}
