// SPDX-License-Identifier: GPL-2.0
// A NUMA node that was not checked to be online.

fn case() -> Result<Place> {
    #[cfg(not(misuse))]
    let node = Node::new(63)?;
    #[cfg(misuse)]
    // error[E0423]: cannot initialize a tuple struct which contains private fields
    let node = Node(63);
    Ok(Place::Only(node))
}
