// SPDX-License-Identifier: GPL-2.0
// Taking the pages out of the private field of a secret.

fn case(secret: Secret<ExclusivePage<Bytes>>) -> ExclusivePage<Bytes> {
    #[cfg(not(misuse))]
    let page = secret.into_inner();
    #[cfg(misuse)]
    // error[E0616]: field `0` of struct
    let page = secret.0;
    page
}
