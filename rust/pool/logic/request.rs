// SPDX-License-Identifier: GPL-2.0

//! Requests for pages, with the tiers that they have asked.

/// The tiers of a [`Pool`](crate::pool::Pool), in the order in which it asks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// The per-CPU cache.
    Cache,
    /// The buddy allocator, above the min watermark.
    Buddy,
    /// The pool's own reserve.
    Reserve,
    /// The buddy allocator, with access to the kernel's emergency reserve.
    Emergency,
}

impl Tier {
    /// All tiers, in the order of the chain; `tier as usize` is the index.
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

/// The priority of a request. Tiers that are kept for important requests refuse lesser ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Can be refused without harm: uses neither the reserve nor the emergency reserve.
    Low,
    /// May use the pool's reserve.
    Normal,
    /// May also use the kernel's emergency reserve, within the pool's budget.
    High,
}

impl Priority {
    /// All priorities, the lowest first.
    pub const ALL: [Self; Self::COUNT] = [Self::Low, Self::Normal, Self::High];

    /// How many there are.
    pub const COUNT: usize = 3;
}

/// A request: its priority, and the tiers that it has asked.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    priority: Priority,
    /// A bit for each [`Tier`].
    been_to: u8,
}

impl Request {
    /// Makes a request that has asked no tier yet.
    #[inline(always)]
    pub const fn new(priority: Priority) -> Self {
        Self {
            priority,
            been_to: 0,
        }
    }

    /// Makes a request that `tier` has served, for reports.
    #[inline(always)]
    pub(crate) const fn served_by(tier: Tier) -> Self {
        Self {
            priority: Priority::Low,
            been_to: 1 << tier as u8,
        }
    }

    /// Returns the priority.
    #[inline(always)]
    pub const fn priority(&self) -> Priority {
        self.priority
    }

    /// Notes that `tier` is being asked.
    #[inline(always)]
    pub(crate) fn enter(&mut self, tier: Tier) {
        self.been_to |= 1 << tier as u8;
    }

    /// Returns whether `tier` was asked.
    #[inline(always)]
    pub(crate) const fn has_been_to(&self, tier: Tier) -> bool {
        self.been_to & 1 << tier as u8 != 0
    }

    /// Returns the tier that was asked last. If the request was served, that tier served it. Any
    /// context.
    #[inline(always)]
    pub fn last_tier(&self) -> Option<Tier> {
        Tier::ALL.into_iter().rfind(|&tier| self.has_been_to(tier))
    }
}
