// SPDX-License-Identifier: GPL-2.0

//! The headroom as text.

use super::{document::Headroom, model::Arithmetic};
use crate::{
    terminal::{paint, Style},
    units,
};
use comfy_table::{presets::NOTHING, CellAlignment, Table};
use std::{io::Write, time::Duration};

/// Returns a number of requests, with the pages of each if these are several.
fn requests(headroom: &Headroom, count: u64) -> String {
    match headroom.order {
        0 => units::counted(count, "page"),
        order => format!("{} of {} pages", units::counted(count, "block"), 1 << order),
    }
}

/// Prints the answer, and a table of the zones.
pub fn table(
    out: &mut impl Write,
    headroom: &Headroom,
    with_arithmetic: bool,
    coloured: bool,
) -> anyhow::Result<()> {
    let style = if headroom.requests == 0 {
        Style::Bad
    } else {
        Style::Bold
    };
    let answer = requests(headroom, headroom.requests);
    let place = headroom
        .cpu
        .map_or_else(String::new, |cpu| format!(" on CPU {cpu}"));

    writeln!(
        out,
        "A burst of {} requests{place} can still get {}.",
        headroom.gfp,
        paint(coloured, style, &answer)
    )?;
    if headroom.at_least < headroom.at_most {
        writeln!(
            out,
            "It gets {} at least and {} at most: the kernel hides what its per-CPU lists do.",
            headroom.at_least, headroom.at_most
        )?;
    }
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table.set_header(["node", "zone", "requests", "at least", "at most"]);
    for zone in &headroom.zones {
        table.add_row([
            zone.node.to_string(),
            zone.zone.clone(),
            zone.requests.to_string(),
            zone.at_least.to_string(),
            zone.at_most.to_string(),
        ]);
    }
    for column in [0, 2, 3, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "\n{}", table.trim_fmt())?;
    if with_arithmetic {
        for zone in &headroom.zones {
            writeln!(out, "\nnode {}, zone {}, in pages:", zone.node, zone.zone)?;
            for line in terms(&zone.arithmetic) {
                writeln!(out, "  {line}")?;
            }
        }
    }
    for what in &headroom.cannot_see {
        let line = format!("cannot be seen: {what}");
        writeln!(out, "{}", paint(coloured, Style::Faint, &line))?;
    }
    Ok(())
}

/// Returns the terms of the sum, one in a line. Terms that are 0 are left out.
fn terms(sum: &Arithmetic) -> Vec<String> {
    let mut lines = vec![format!("{:>10}  free", sum.free)];
    let mut less = |count: u64, why: &str| {
        if count > 0 {
            lines.push(format!("{:>10}  {why}", format!("- {count}")));
        }
    };

    less(sum.cma, "in CMA areas, which only movable pages may use");
    less(sum.highatomic, "kept for atomic requests of high orders");
    less(sum.rest_of_block, "of a block that may go below the limit");
    let min = format!(
        "of the min watermark of {} that the request may not use",
        sum.min
    );
    less(sum.out_of_reach, &min);
    less(
        sum.protection,
        "kept for requests that cannot use a higher zone (lowmem_reserve)",
    );
    lines.push(format!(
        "{:>10}  above the limit",
        format!("= {}", sum.above)
    ));
    let mut also = |count: u64, what: &str| {
        if count > 0 {
            lines.push(format!("{count:>10}  {what}"));
        }
    };
    also(sum.boost, "lost if the kernel boosts the watermarks");
    also(sum.in_list, "in the list of a CPU, perhaps of other types");
    also(
        sum.in_other_lists,
        "in the lists of other CPUs, which may come back to the zone",
    );
    also(
        sum.drift + sum.drift_of_others,
        "that the number of free pages may lag behind",
    );
    if let Some(blocks) = sum.blocks {
        lines.push(format!("{blocks:>10}  free blocks that are large enough"));
    }
    lines
}

/// Prints a line of the live view. Lines are fine on serial consoles, too.
pub fn line(out: &mut impl Write, headroom: &Headroom, passed: Duration) -> anyhow::Result<()> {
    let zones: Vec<String> = headroom
        .zones
        .iter()
        .map(|zone| format!("{}/{} {}", zone.node, zone.zone, zone.requests))
        .collect();

    writeln!(
        out,
        "{:>8.1} s  {} ({} to {}, least {})  {}",
        passed.as_secs_f64(),
        requests(headroom, headroom.requests),
        headroom.at_least,
        headroom.at_most,
        headroom.least,
        zones.join(", ")
    )?;
    out.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{line, table};
    use crate::headroom::look::{
        tests::{example, QUESTION},
        Question,
    };
    use std::time::Duration;

    fn tabled(question: Question, coloured: bool) -> String {
        let mut out = Vec::new();
        table(&mut out, &example(question), true, coloured).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_answer_and_its_arithmetic() {
        let wanted = "\
A burst of GFP_ATOMIC requests can still get 99424 pages.
It gets 99354 at least and 99662 at most: the kernel hides what its per-CPU lists do.

 node  zone   requests  at least  at most
    0  DMA        1791      1784     1823
    0  DMA32     97633     97570    97839

node 0, zone DMA, in pages:
        2816  free
        - 42  of the min watermark of 112 that the request may not use
       - 955  kept for requests that cannot use a higher zone (lowmem_reserve)
      = 1819  above the limit
           4  that the number of free pages may lag behind

node 0, zone DMA32, in pages:
      101320  free
      - 1024  in CMA areas, which only movable pages may use
      - 2664  of the min watermark of 7104 that the request may not use
     = 97632  above the limit
         190  in the list of a CPU, perhaps of other types
          17  in the lists of other CPUs, which may come back to the zone
";
        assert_eq!(tabled(QUESTION, false), wanted);
    }

    #[test]
    fn high_orders_have_blocks() {
        let question = Question {
            order: 2,
            cpu: Some(0),
            node: Some(0),
            ..QUESTION
        };
        let wanted = "\
A burst of GFP_ATOMIC requests on CPU 0 can still get 352 blocks of 4 pages.
It gets 338 at least and 673 at most: the kernel hides what its per-CPU lists do.

 node  zone   requests  at least  at most
    0  DMA           3         3        4
    0  DMA32       349       335      669

node 0, zone DMA, in pages:
        2816  free
         - 3  of a block that may go below the limit
        - 42  of the min watermark of 112 that the request may not use
       - 955  kept for requests that cannot use a higher zone (lowmem_reserve)
      = 1816  above the limit
           4  that the number of free pages may lag behind
           4  free blocks that are large enough

node 0, zone DMA32, in pages:
      101320  free
      - 1024  in CMA areas, which only movable pages may use
         - 3  of a block that may go below the limit
      - 2688  of the min watermark of 7168 that the request may not use
     = 97605  above the limit
         190  in the list of a CPU, perhaps of other types
          17  in the lists of other CPUs, which may come back to the zone
         349  free blocks that are large enough
cannot be seen: node 0, zone DMA32: which free blocks are in CMA areas (root can see them)
";
        assert_eq!(tabled(question, false), wanted);
    }

    #[test]
    fn colours_are_only_added() {
        let coloured = tabled(QUESTION, true);
        let plain = coloured.replace("\x1b[1m", "").replace("\x1b[0m", "");
        assert_ne!(coloured, plain);
        assert_eq!(plain, tabled(QUESTION, false));
    }

    #[test]
    fn a_look_is_a_line() {
        let mut out = Vec::new();
        line(&mut out, &example(QUESTION), Duration::from_millis(1250)).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "     1.2 s  99424 pages (99354 to 99662, least 99424)  0/DMA 1791, 0/DMA32 97633\n"
        );
    }
}
