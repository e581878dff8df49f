// SPDX-License-Identifier: GPL-2.0

//! Requests for pages, with the tiers that they have asked.

use super::tier::Tier;

/// The priority of a request. Tiers that are kept for important requests refuse lesser ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// For requests whose failure does no harm. May use neither the reserve nor the emergency
    /// reserve.
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

/// A request with a priority. It records the tiers that it has asked.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    priority: Priority,
    /// A bit for each [`Tier`].
    been_to: u8,
}

const _: () = assert!(Tier::COUNT <= u8::BITS as usize);

impl Request {
    /// Makes a request that has asked no tier yet.
    #[inline(always)]
    pub const fn new(priority: Priority) -> Self {
        Self {
            priority,
            been_to: 0,
        }
    }

    /// Makes a request for reports, as if `tier` had served it.
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

    /// Returns whether the request may use `tier`.
    #[inline(always)]
    pub(crate) fn may_use(&self, tier: Tier) -> bool {
        self.priority >= tier.least_priority()
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
