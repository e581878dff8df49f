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
///
/// It is a single number, so that functions can return it in a register beside the pages.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// A bit for each [`Tier`], and above them the [`Priority`].
    bits: u8,
}

/// The number of bits for tiers.
const TIER_BITS: u32 = 6;

const _: () = assert!(Tier::COUNT <= TIER_BITS as usize);
const _: () = assert!(Priority::COUNT <= 1 << (u8::BITS - TIER_BITS));

impl Request {
    /// Makes a request that has asked no tier yet.
    #[inline(always)]
    pub const fn new(priority: Priority) -> Self {
        Self {
            bits: (priority as u8) << TIER_BITS,
        }
    }

    /// Makes a request for reports, as if `tier` had served it.
    #[inline(always)]
    pub(crate) const fn served_by(tier: Tier) -> Self {
        Self {
            bits: 1 << tier as u8,
        }
    }

    /// Returns the priority.
    #[inline(always)]
    pub const fn priority(&self) -> Priority {
        match self.bits >> TIER_BITS {
            0 => Priority::Low,
            1 => Priority::Normal,
            _ => Priority::High,
        }
    }

    /// Notes that `tier` is being asked.
    #[inline(always)]
    pub(crate) fn enter(&mut self, tier: Tier) {
        self.bits |= 1 << tier as u8;
    }

    /// Returns whether the request may use `tier`.
    #[inline(always)]
    pub(crate) fn may_use(&self, tier: Tier) -> bool {
        self.bits >> TIER_BITS >= tier.least_priority() as u8
    }

    /// Returns whether `tier` was asked.
    #[inline(always)]
    pub(crate) const fn has_been_to(&self, tier: Tier) -> bool {
        self.bits & 1 << tier as u8 != 0
    }

    /// Returns the tier that was asked last. If the request was served, that tier served it. Any
    /// context.
    #[inline(always)]
    pub fn last_tier(&self) -> Option<Tier> {
        Tier::ALL.into_iter().rfind(|&tier| self.has_been_to(tier))
    }
}
