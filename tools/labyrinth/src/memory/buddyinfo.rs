// SPDX-License-Identifier: GPL-2.0

//! `/proc/buddyinfo`: how many free blocks of each order a zone has.

use std::{fs, path::Path};

/// The free blocks of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// The node.
    pub node: u32,
    /// The name of the zone.
    pub zone: String,
    /// The number of free blocks of each order, from 0. CMA areas are included.
    pub free: Vec<u64>,
}

/// Reads `buddyinfo` in this folder, which is `/proc` except in tests. Returns nothing if the file
/// cannot be read.
pub fn read(proc: &Path) -> Vec<Blocks> {
    parse(&fs::read_to_string(proc.join("buddyinfo")).unwrap_or_default())
}

fn parse(text: &str) -> Vec<Blocks> {
    text.lines().filter_map(line).collect()
}

fn line(text: &str) -> Option<Blocks> {
    let (node, rest) = text.strip_prefix("Node ")?.split_once(", zone")?;
    let mut words = rest.split_whitespace();

    Some(Blocks {
        node: node.trim().parse().ok()?,
        zone: words.next()?.to_owned(),
        free: words.map(str::parse).collect::<Result<_, _>>().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn blocks_are_read() {
        let blocks = parse("Node 0, zone    DMA32     12      7      3\nnothing\n");
        assert_eq!(blocks.len(), 1);
        assert_eq!((blocks[0].node, blocks[0].zone.as_str()), (0, "DMA32"));
        assert_eq!(blocks[0].free, [12, 7, 3]);
    }
}
