// SPDX-License-Identifier: GPL-2.0
// Using a slice of a secret after the secret was scrubbed and taken out.

fn case(secret: Secret<ExclusivePage<Bytes>>) -> u8 {
    let key = &secret[..32];
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `secret` because it is borrowed
    let _page = secret.into_inner();
    key[0]
}
