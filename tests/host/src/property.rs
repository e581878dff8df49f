// SPDX-License-Identifier: GPL-2.0

//! Runs a property against random input.

use proptest::{
    strategy::Strategy,
    test_runner::{
        Config,
        TestRunner, //
    }, //
};

/// The number of inputs for each property.
const INPUTS: u32 = 4096;

/// Panics with the smallest input found for which `property` panics.
pub(crate) fn holds<S: Strategy>(input: S, property: impl Fn(S::Value)) {
    let config = Config {
        cases: INPUTS,
        // The message contains the input, so no file is kept.
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&input, |input| {
        property(input);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
