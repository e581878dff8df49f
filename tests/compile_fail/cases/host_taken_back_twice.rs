// SPDX-License-Identifier: GPL-2.0
// Pages that are taken back from the host, used as shared ones.

fn case(cx: &Task, mut pages: HostPages) -> Result {
    pages.write(0, b"to the host")?;
    let _back = pages.take_back(cx)?;
    #[cfg(misuse)]
    // error[E0382]: borrow of moved value: `pages`
    pages.write(0, b"to nobody")?;
    Ok(())
}
