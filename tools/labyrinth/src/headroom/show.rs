// SPDX-License-Identifier: GPL-2.0

//! The headroom as text.

use super::{Arithmetic, Headroom};
use crate::{
    terminal::{paint, Style},
    units,
};
use comfy_table::{presets::NOTHING, CellAlignment, Table};
use std::{
    io::{self, Write},
    time::Duration,
};

/// Returns a number of requests, with the pages of each if these are several.
fn requests(headroom: &Headroom, count: u64) -> String {
    match headroom.order {
        0 => units::counted(count, "page"),
        order => format!("{} of {} pages", units::counted(count, "block"), 1 << order),
    }
}

/// Prints the answer, and a table of the zones.
pub fn table(headroom: &Headroom, with_arithmetic: bool, coloured: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let style = if headroom.requests == 0 {
        Style::Bad
    } else {
        Style::Bold
    };
    let answer = requests(headroom, headroom.requests);

    writeln!(
        out,
        "A burst of {} requests can still get {}.",
        headroom.gfp,
        paint(coloured, style, &answer)
    )?;
    if headroom.at_least < headroom.requests {
        writeln!(
            out,
            "The per-CPU lists may keep back up to {} of them.",
            headroom.requests - headroom.at_least
        )?;
    }
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table.set_header(["node", "zone", "requests"]);
    for zone in &headroom.zones {
        table.add_row([
            zone.node.to_string(),
            zone.zone.clone(),
            zone.requests.to_string(),
        ]);
    }
    for column in [0, 2] {
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
    if let Some(blocks) = sum.blocks {
        lines.push(format!("{blocks:>10}  free blocks that are large enough"));
    }
    lines
}

/// Prints a line of the live view.
pub fn line(headroom: &Headroom, passed: Duration) -> anyhow::Result<()> {
    let zones: Vec<String> = headroom
        .zones
        .iter()
        .map(|zone| format!("{}/{} {}", zone.node, zone.zone, zone.requests))
        .collect();
    let mut out = io::stdout().lock();

    writeln!(
        out,
        "{:>8.1} s  {} (least {})  {}",
        passed.as_secs_f64(),
        requests(headroom, headroom.requests),
        headroom.least,
        zones.join(", ")
    )?;
    out.flush()?;
    Ok(())
}
