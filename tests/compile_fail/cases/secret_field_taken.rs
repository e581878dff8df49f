// SPDX-License-Identifier: GPL-2.0
// The pages of a secret, by the field that they are in.

fn case(secret: Secret<ExclusivePage<Bytes>>) -> ExclusivePage<Bytes> {
    #[cfg(not(misuse))]
    let page = secret.into_inner();
    #[cfg(misuse)]
    // error[E0616]: field `0` of struct
    let page = secret.0;
    page
}
