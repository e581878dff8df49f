// SPDX-License-Identifier: GPL-2.0
// The pages of a secret, exchanged for others so that they are not scrubbed.

fn case(secret: &mut Secret<ExclusivePage<Bytes>>, page: &mut ExclusivePage<Bytes>) {
    #[cfg(not(misuse))]
    core::mem::swap::<Bytes>(secret, page);
    #[cfg(misuse)]
    // error[E0308]: mismatched types
    core::mem::swap::<ExclusivePage<Bytes>>(secret, page);
}
