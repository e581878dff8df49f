// SPDX-License-Identifier: GPL-2.0

//! The bounds of the settings.

use super::{
    Setting,
    Settings, //
};
use kernel::prelude::*;

#[kunit_tests(labyrinth_settings)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive() {
        for setting in Setting::ALL {
            let (low, high) = (*setting.bounds().start(), *setting.bounds().end());

            assert_eq!(setting.check(low.into()), Ok(low));
            assert_eq!(setting.check(high.into()), Ok(high));
            assert_eq!(setting.check(u64::from(high) + 1), Err(ERANGE));
            if low > 0 {
                assert_eq!(setting.check(u64::from(low) - 1), Err(ERANGE));
            }
            // A number must not become a small one because its upper bits are dropped.
            assert_eq!(setting.check(u64::from(low) + (1 << 32)), Err(ERANGE));
        }
    }

    #[test]
    fn refused_value_changes_nothing() {
        let Ok(settings) = Settings::new([200, 3, 5, 1, 2, 1]) else {
            return assert!(false);
        };

        assert_eq!(settings.set(Setting::Batch, 0), Err(ERANGE));
        assert_eq!(settings.get(Setting::Batch), 3);
        assert_eq!(settings.set(Setting::Batch, 4), Ok(()));
        assert_eq!(settings.get(Setting::Batch), 4);
        assert_eq!(settings.get(Setting::PeriodUs), 200);
        assert_eq!(settings.get(Setting::HoldUs), 5);
    }

    #[test]
    fn bad_start_value_is_named() {
        assert!(matches!(
            Settings::new([99, 1, 0, 0, 0, 0]),
            Err(Setting::PeriodUs)
        ));
        assert!(matches!(
            Settings::new([100, 0, 0, 0, 0, 0]),
            Err(Setting::Batch)
        ));
        assert!(matches!(
            Settings::new([100, 1, 10_000_001, 0, 0, 0]),
            Err(Setting::HoldUs)
        ));
    }
}
