// SPDX-License-Identifier: GPL-2.0

//! The file `fault`: the name of the planted fault that the pool commits from then on.

use crate::{
    exercise::Exercises,
    ffi::{
        context::Task,
        debugfs::{
            Dir,
            Store, //
        }, //
    },
    source::plant, //
};
use kernel::prelude::*;

/// Makes the file.
pub(super) fn create(top: &Dir<'_, Exercises>) {
    top.write_only::<Commit>(c"fault");
}

struct Commit;

impl Store<Exercises> for Commit {
    fn store(_cx: &Task, _exercises: &Exercises, text: &CStr) -> Result {
        plant::commit(text)
    }
}
