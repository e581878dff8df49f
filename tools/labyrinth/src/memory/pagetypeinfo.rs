// SPDX-License-Identifier: GPL-2.0

//! `/proc/pagetypeinfo`: how many free blocks of each order and migrate type a zone has. Only root
//! can read it. The kernel counts the blocks with interrupts off, so it is no file for a live view.

use std::{fs, path::Path};

/// The free blocks of a migrate type in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// The node.
    pub node: u32,
    /// The name of the zone.
    pub zone: String,
    /// The name of the migrate type, such as "Unmovable".
    pub kind: String,
    /// The number of free blocks of each order, from 0.
    pub free: Vec<u64>,
}

impl Blocks {
    /// Returns how many pages these blocks have.
    fn pages(&self) -> u64 {
        (0..)
            .zip(&self.free)
            .map(|(order, count)| count << order)
            .sum()
    }
}

/// The free blocks of all zones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Types {
    /// The order of a page block, whose pages are of one type.
    pub page_block_order: usize,
    /// The blocks.
    pub blocks: Vec<Blocks>,
}

/// The page blocks of a zone that are reserved for atomic requests of high orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// The node.
    pub node: u32,
    /// The name of the zone.
    pub zone: String,
    /// The pages of these blocks, free or not. The kernel's own counter can be larger, because it
    /// still counts blocks that other requests have taken over.
    pub pages: u64,
    /// The free pages that are kept for such requests.
    pub free: u64,
}

/// Reads how much is reserved. Kernels up to 6.12 show it in no other file.
pub fn read_reserved(proc: &Path) -> Option<Vec<Reserved>> {
    parse_reserved(&fs::read_to_string(proc.join("pagetypeinfo")).ok()?)
}

fn parse_reserved(text: &str) -> Option<Vec<Reserved>> {
    let lists: Vec<Blocks> = text
        .lines()
        .filter(|line| line.contains(", type   HighAtomic "))
        .map(blocks)
        .collect::<Option<_>>()?;
    let mut lines = text.lines();
    let size: u64 = lines
        .find_map(|line| line.strip_prefix("Pages per block:"))?
        .trim()
        .parse()
        .ok()?;
    let column = lines
        .find_map(|line| line.strip_prefix("Number of blocks type"))?
        .split_whitespace()
        .position(|kind| kind == "HighAtomic")?;

    lines
        .map(|line| {
            let (node, rest) = line.strip_prefix("Node ")?.split_once(", zone")?;
            let mut words = rest.split_whitespace();
            let zone = words.next()?.to_owned();
            let count: u64 = words.nth(column)?.parse().ok()?;
            let node = node.trim().parse().ok()?;
            let free = lists
                .iter()
                .filter(|list| list.node == node && list.zone == zone)
                .map(Blocks::pages)
                .sum();

            Some(Reserved {
                node,
                zone,
                pages: count.checked_mul(size)?,
                free,
            })
        })
        .collect()
}

/// Reads `pagetypeinfo` in this folder, which is `/proc` except in tests. Returns nothing if it
/// cannot be read, or if it is not exact: the kernel stops counting at 100,000 blocks.
pub fn read(proc: &Path) -> Option<Types> {
    parse(&fs::read_to_string(proc.join("pagetypeinfo")).ok()?)
}

fn parse(text: &str) -> Option<Types> {
    let mut types = Types::default();

    for line in text.lines() {
        if let Some(order) = line.strip_prefix("Page block order:") {
            types.page_block_order = order.trim().parse().ok()?;
        } else if line.starts_with("Node ") && line.contains(", type ") {
            types.blocks.push(blocks(line)?);
        }
    }
    (!types.blocks.is_empty()).then_some(types)
}

fn blocks(line: &str) -> Option<Blocks> {
    let (node, rest) = line.strip_prefix("Node ")?.split_once(", zone")?;
    let (zone, rest) = rest.split_once(", type")?;
    let mut words = rest.split_whitespace();

    Some(Blocks {
        node: node.trim().parse().ok()?,
        zone: zone.trim().to_owned(),
        kind: words.next()?.to_owned(),
        free: words.map(str::parse).collect::<Result<_, _>>().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::{parse, parse_reserved, Reserved};

    const TEXT: &str = "\
Page block order: 9
Pages per block:  512

Free pages count per migrate type at order       0      1      2
Node    0, zone    DMA32, type    Unmovable      3      0     12
Node    0, zone    DMA32, type   HighAtomic      0      1      0

Number of blocks type     Unmovable      Movable  Reclaimable   HighAtomic
Node 0, zone    DMA32           40          300           12            1
";

    #[test]
    fn types_are_read() {
        let types = parse(TEXT).unwrap();
        assert_eq!(types.page_block_order, 9);
        assert_eq!(types.blocks.len(), 2);
        assert_eq!(types.blocks[0].free, [3, 0, 12]);
        assert_eq!(types.blocks[1].kind, "HighAtomic");
        assert_eq!(
            (types.blocks[1].node, types.blocks[1].zone.as_str()),
            (0, "DMA32")
        );
    }

    #[test]
    fn reserved_blocks_are_counted() {
        let wanted = Reserved {
            node: 0,
            zone: "DMA32".into(),
            pages: 512,
            free: 2,
        };
        assert_eq!(parse_reserved(TEXT), Some(vec![wanted]));
        // Free blocks without an exact number do not matter.
        assert!(parse_reserved(&TEXT.replace("     12\n", ">100000\n")).is_some());
        assert_eq!(parse_reserved(&TEXT.replace("HighAtomic", "Other")), None);
        assert_eq!(parse_reserved(""), None);
    }

    #[test]
    fn counts_that_are_not_exact_are_no_counts() {
        assert_eq!(parse(&TEXT.replace("     12\n", ">100000\n")), None);
        assert_eq!(parse(""), None);
    }
}
