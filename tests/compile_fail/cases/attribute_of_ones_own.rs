// SPDX-License-Identifier: GPL-2.0
// A driver's own cache attribute, which the kernel would not know.

struct Mine;

#[cfg(misuse)]
// error[E0277]: Sealed` is not satisfied
impl CacheAttribute for Mine {}

fn case(_mine: Mine) {}
