// SPDX-License-Identifier: GPL-2.0

//! What a request for pages is, and the path that it takes.

/// Where pages can come from, in the order in which a [`Pool`](crate::source::Pool) asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// The per-CPU cache.
    Cache,
    /// The buddy allocator, above the min watermark.
    Buddy,
    /// The pool's own reserve.
    Reserve,
    /// The buddy allocator, with access to the kernel's emergency reserve.
    Emergency,
}

impl Room {
    /// All rooms, in the order of the chain; `room as usize` is the index.
    pub const ALL: [Self; Self::COUNT] = [Self::Cache, Self::Buddy, Self::Reserve, Self::Emergency];

    /// How many there are.
    pub const COUNT: usize = 4;

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Buddy => "buddy",
            Self::Reserve => "reserve",
            Self::Emergency => "emergency",
        }
    }
}

/// How much a request matters. A room that is kept for important requests refuses lesser ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Can be refused without harm: takes what is at hand, neither the reserve nor the emergency
    /// reserve.
    Low,
    /// May take from the pool's reserve.
    Normal,
    /// May also take from the kernel's emergency reserve, within the pool's budget.
    High,
}

impl Priority {
    /// All priorities, the least first.
    pub const ALL: [Self; Self::COUNT] = [Self::Low, Self::Normal, Self::High];

    /// How many there are.
    pub const COUNT: usize = 3;
}

/// A request on its way: its priority, and the rooms that it has been to.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    priority: Priority,
    /// A bit for each [`Room`].
    been_to: u8,
}

impl Request {
    /// A request that has been nowhere yet.
    #[inline(always)]
    pub const fn new(priority: Priority) -> Self {
        Self {
            priority,
            been_to: 0,
        }
    }

    /// What is left of a request that `room` served, for reports.
    #[inline(always)]
    pub(crate) const fn served_by(room: Room) -> Self {
        Self {
            priority: Priority::Low,
            been_to: 1 << room as u8,
        }
    }

    /// The priority.
    #[inline(always)]
    pub const fn priority(&self) -> Priority {
        self.priority
    }

    /// Notes that `room` is asked now.
    #[inline(always)]
    pub(crate) fn enter(&mut self, room: Room) {
        self.been_to |= 1 << room as u8;
    }

    /// Whether `room` was asked.
    #[inline(always)]
    pub(crate) const fn has_been_to(&self, room: Room) -> bool {
        self.been_to & 1 << room as u8 != 0
    }

    /// The room that was asked last: the one that served a request that was served.
    #[inline(always)]
    pub fn last_room(&self) -> Option<Room> {
        Room::ALL.into_iter().rfind(|&room| self.has_been_to(room))
    }
}
