// SPDX-License-Identifier: GPL-2.0

//! The conditions under which a live view ends by itself.

use std::time::{Duration, Instant};

/// The end of a view, unless a key or a signal ends it earlier.
#[derive(Clone, Copy, Debug)]
pub struct End {
    time: Option<Instant>,
    updates: Option<u64>,
}

impl End {
    /// Ends after this time from now, or after so many updates, whichever comes first.
    pub fn new(duration: Option<Duration>, updates: Option<u64>) -> Self {
        Self {
            time: duration.and_then(|duration| Instant::now().checked_add(duration)),
            updates,
        }
    }

    /// Returns the time of the end, if there is one.
    pub fn time(&self) -> Option<Instant> {
        self.time
    }

    /// Returns whether the end has come, after `updates` updates.
    pub fn has_come(&self, updates: u64) -> bool {
        self.time.is_some_and(|time| Instant::now() >= time)
            || self.updates.is_some_and(|wanted| updates >= wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::End;
    use std::time::Duration;

    #[test]
    fn the_first_of_both_counts() {
        assert!(!End::new(None, None).has_come(u64::MAX));
        assert!(End::new(None, Some(3)).has_come(3));
        let hour = Some(Duration::from_secs(3600));
        assert!(!End::new(hour, Some(3)).has_come(2));
        assert!(End::new(hour, Some(3)).has_come(3));
        assert!(End::new(Some(Duration::ZERO), None).has_come(0));
        assert!(!End::new(Some(Duration::MAX), None).has_come(0));
    }
}
