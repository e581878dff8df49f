// SPDX-License-Identifier: GPL-2.0

//! The answer as text.

use super::{
    advice,
    group::Group,
    judge::{judge, Judgement, Verdict},
    meminfo::Memory,
    report::{Kind, Report},
    why,
    words::{about, grouped, list},
    Found,
};
use crate::{
    terminal::{paint, Style},
    units,
};
use std::fmt::Write;

/// How wide paragraphs are.
const WIDTH: usize = 96;

/// Returns the whole answer.
pub fn text(found: &Found, coloured: bool) -> String {
    let mut out = String::new();
    let groups = found.groups.groups();

    out.push_str(&wrap(&summary(found), "", ""));
    if groups.len() > 1 {
        out.push('\n');
        for (index, group) in groups.iter().enumerate() {
            let judgement = judge(&group.report);
            let reason = why::why(&group.report, judgement.as_ref()).reason;
            let number = format!("{:>3}. ", index + 1);
            let times = if group.count > 1 {
                format!("{} times ", grouped(group.count))
            } else {
                String::new()
            };
            let line = format!("{times}{}: {reason}", subject(&group.report));
            out.push_str(&wrap(&line, &number, "     "));
            if index == 19 && groups.len() > 20 {
                out.push_str("     …\n");
                break;
            }
        }
    }
    for (index, group) in groups.iter().enumerate() {
        out.push('\n');
        entry(&mut out, group, index + 1, coloured);
    }
    out
}

/// Says what was found, and what the log does not show.
fn summary(found: &Found) -> String {
    let groups = found.groups.groups();
    let headless: u64 = groups
        .iter()
        .filter(|group| group.report.kind == Kind::MemInfo)
        .map(|group| group.count)
        .sum();
    let failed = found.groups.reports() - headless;
    let kinds = groups
        .iter()
        .filter(|group| group.report.kind != Kind::MemInfo)
        .count() as u64;
    let mut out = match (failed, kinds) {
        (0, _) => format!(
            "No failed request is reported in {} ({}).",
            if found.lines == 1 {
                "one line".to_owned()
            } else {
                format!("{} lines", grouped(found.lines))
            },
            about(found.bytes.div_ceil(1024))
        ),
        (1, _) => "One failed request is reported.".to_owned(),
        (failed, 1) => format!(
            "{} failed requests are reported, all of one kind.",
            grouped(failed)
        ),
        (failed, kinds) if failed == kinds => {
            format!("{} failed requests are reported.", grouped(failed))
        }
        (failed, kinds) => format!(
            "{} failed requests are reported, of {} kinds.",
            grouped(failed),
            grouped(kinds)
        ),
    };
    if headless > 0 {
        let _ = write!(
            out,
            " {} of memory without a request.",
            if headless == 1 {
                "There is one list".to_owned()
            } else {
                format!("There are {} lists", grouped(headless))
            }
        );
    }
    let hidden: Vec<String> = found
        .suppressed
        .iter()
        .map(|(what, count)| format!("{} {what}", grouped(*count)))
        .collect();
    if !hidden.is_empty() {
        let _ = write!(
            out,
            " Not shown in the log, because the kernel limits their rate: {}.",
            list(&hidden)
        );
    }
    let warns = found
        .groups
        .groups()
        .iter()
        .any(|group| matches!(group.report.kind, Kind::Page | Kind::Vmalloc { .. }));
    if warns {
        out.push_str(
            " The kernel reports at most one page allocation failure in ten seconds, and none with \
             __GFP_NOWARN; labyrinth failures counts all of them.",
        );
    }
    let lost: Vec<String> = found
        .lost
        .iter()
        .map(|(who, count)| format!("{who} dropped {} lines", grouped(*count)))
        .collect();
    if !lost.is_empty() {
        let _ = write!(out, " By their own account, {}.", list(&lost));
    }
    if found.binary.bytes > 0 {
        out.push_str(&not_text(found));
    }
    if found.long_lines > 0 {
        let _ = write!(
            out,
            " Of {}, only a part was read, because {} longer than 64 KiB.",
            units::counted(found.long_lines, "line"),
            if found.long_lines == 1 {
                "it is"
            } else {
                "they are"
            }
        );
    }
    if found.groups.left_out > 0 {
        let _ = write!(
            out,
            " {} further reports are counted, but not described.",
            grouped(found.groups.left_out)
        );
    }
    out
}

/// Says how much of the log is not text.
fn not_text(found: &Found) -> String {
    let binary = &found.binary;
    let mut out = format!(
        " {} of {} bytes are not text and could not be read: {} {} such bytes, the first of them line {}.",
        grouped(binary.bytes),
        grouped(found.bytes),
        units::counted(binary.lines, "line"),
        if binary.lines == 1 { "has" } else { "have" },
        grouped(binary.first)
    );
    if binary.nul > found.bytes / 5 * 2 && binary.nul < found.bytes / 5 * 3 {
        out.push_str(" It may be UTF-16: iconv -f UTF-16LE -t UTF-8 FILE | labyrinth explain.");
    } else if binary.nul > 64 && binary.nul * 2 > binary.bytes {
        out.push_str(
            " After a crash of the machine, a log can have NUL bytes instead of its lines.",
        );
    } else if binary.bytes > found.bytes / 20 {
        out.push_str(" So this is hardly a log.");
    }
    out
}

/// Names a report in a few words.
fn subject(report: &Report) -> String {
    let name = report.comm.as_deref().unwrap_or("unknown process");
    let mode = report
        .mode
        .as_ref()
        .map_or(String::new(), |mode| format!(" {}", mode.text()));
    let order = report
        .order
        .map_or(String::new(), |order| format!(" order {order}"));

    match &report.kind {
        Kind::Page => format!("{name}{order}{mode}"),
        Kind::Stall { .. } => format!("{name}{order}{mode} (slow)"),
        Kind::Vmalloc { .. } if report.is_small() => "vmap".to_owned(),
        Kind::Vmalloc { .. } => format!("{name} vmalloc{mode}"),
        Kind::Vmemmap => format!("{name} vmemmap{order}{mode}"),
        Kind::Slab => format!(
            "slab cache {}{mode}",
            report.slab.cache.as_deref().unwrap_or("(name missing)")
        ),
        Kind::Cma { .. } => "CMA area".to_owned(),
        Kind::Oom if report.is_memcg() => format!("OOM killer in a group, {name}"),
        Kind::Oom => format!("OOM killer, {name}{order}{mode}"),
        Kind::MemInfo => "memory information without a request".to_owned(),
    }
}

fn entry(out: &mut String, group: &Group, number: usize, coloured: bool) {
    let report = &group.report;
    let judgement = judge(report);
    let why = why::why(report, judgement.as_ref());
    let mut head = format!("{number}. {} line {}", report.file, report.line);
    if let Some(time) = &report.time {
        let _ = write!(head, ", {time}");
    }
    if let Some(kernel) = &report.kernel {
        let _ = write!(head, ", Linux {}", kernel.text);
    }
    let _ = write!(head, ": {}", subject(report));
    for line in wrap(&head, "", "   ").lines() {
        out.push_str(&paint(coloured, Style::Bold, line));
        out.push('\n');
    }
    out.push('\n');
    // The reason stands out, so it is a paragraph of its own.
    let reason = wrap(&why.reason, "   ", "   ");
    for line in reason.lines() {
        out.push_str(&paint(coloured, Style::Bad, line));
        out.push('\n');
    }
    if !why.more.is_empty() {
        out.push_str(&wrap(&why.more.join(" "), "   ", "   "));
    }
    if let Some(judgement) = &judgement {
        out.push('\n');
        out.push_str(&table(judgement, coloured));
    } else if let Some(memory) = report
        .memory
        .as_ref()
        .filter(|memory| !memory.zones.is_empty())
    {
        out.push('\n');
        out.push_str(&plain_table(memory));
    }
    section(out, "What would have served it:", &why.served_by, coloured);
    let advice: Vec<String> = advice::advise(report, judgement.as_ref())
        .into_iter()
        .map(|advice| advice.text)
        .collect();
    section(out, "What helps:", &advice, coloured);
    if group.count > 1 {
        let lines: Vec<String> = group.lines.iter().map(|line| grouped(*line)).collect();
        let others = group.count - 1;
        let mut text = format!(
            "{} more like this: {} {}{}.",
            grouped(others),
            if lines.len() == 1 { "line" } else { "lines" },
            if others > lines.len() as u64 {
                lines.join(", ")
            } else {
                list(&lines)
            },
            if others > lines.len() as u64 {
                " and so on"
            } else {
                ""
            }
        );
        if let Some(time) = &group.last_time {
            let _ = write!(text, " The last one was at {time}.");
        }
        out.push('\n');
        out.push_str(&wrap(&text, "   ", "   "));
    }
    let mut unread: Vec<String> = report
        .unread
        .iter()
        .map(|unread| match unread.line {
            Some(line) => format!("Line {line}: {}.", unread.what),
            None => format!("{}.", unread.what),
        })
        .collect();
    if report.unread_more > 0 {
        unread.push(format!(
            "{} more notes of this kind.",
            grouped(report.unread_more)
        ));
    }
    section(out, "Could not be read:", &unread, coloured);
}

fn section(out: &mut String, title: &str, items: &[String], coloured: bool) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n   {}", paint(coloured, Style::Bold, title));
    for item in items {
        out.push_str(&wrap(item, "   - ", "     "));
    }
}

/// Returns the table of the zones.
fn table(judgement: &Judgement<'_>, coloured: bool) -> String {
    let page = judgement.page_kib;
    let size = |pages: Option<u64>| match pages {
        Some(pages) => grouped(pages.saturating_mul(page)),
        None => "?".to_owned(),
    };
    let mut rows = vec![[
        "zone".to_owned(),
        "free".to_owned(),
        "usable".to_owned(),
        "watermark".to_owned(),
        "+ reserve".to_owned(),
        "largest block".to_owned(),
        "result".to_owned(),
    ]];
    let mut styles = vec![Style::Faint];
    for judged in &judgement.zones {
        let barred = matches!(judged.verdict, Verdict::Barred(_));
        let dash = |text: String| if barred { "-".to_owned() } else { text };
        let free = judged.zone.get("free").map_or("?".to_owned(), grouped);
        let largest = match judged.largest {
            Some(order) => format!("order {order}"),
            None if judged.zone.blocks.is_empty() => "?".to_owned(),
            None => "none".to_owned(),
        };
        let (result, style) = match &judged.verdict {
            Verdict::Barred(why) => ((*why).to_owned(), Style::Faint),
            Verdict::TooLow(short) => (
                format!("short by {}", grouped(short.saturating_mul(page))),
                Style::Bad,
            ),
            Verdict::NoBlock => (format!("no block of order {}", judgement.order), Style::Bad),
            Verdict::Serves => ("could serve it now".to_owned(), Style::Good),
            Verdict::Unknown(fields) => (
                format!("not readable: {}", fields.join(", ")),
                Style::Warning,
            ),
        };
        rows.push([
            judged.zone.title(),
            free,
            dash(size(judged.usable)),
            dash(size(judged.mark)),
            dash(size(judged.reserve)),
            dash(largest),
            result,
        ]);
        styles.push(style);
    }
    let mut out = align(&rows, |row, last| paint(coloured, styles[row], last));
    out.push_str("   (sizes in KiB; usable memory must stay above watermark + reserve)\n");
    out
}

/// Returns a table of the zones for a request that is not known.
fn plain_table(memory: &Memory) -> String {
    let mut rows = vec![["zone", "free", "min", "low", "largest block"].map(str::to_owned)];
    for zone in &memory.zones {
        let size = |field| zone.get(field).map_or("?".to_owned(), grouped);
        let largest = match zone.blocks.iter().rposition(|blocks| blocks.count > 0) {
            Some(order) => format!("order {order}"),
            None => "?".to_owned(),
        };
        rows.push([
            zone.title(),
            size("free"),
            size("min"),
            size("low"),
            largest,
        ]);
    }
    align(&rows, |_, last| last.to_owned()) + "   (sizes in KiB)\n"
}

/// Returns rows in columns. The first column begins at the left, and the last has a style.
fn align<const N: usize>(rows: &[[String; N]], style: impl Fn(usize, &str) -> String) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for (number, row) in rows.iter().enumerate() {
        let mut line = String::from("   ");
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            if column == 0 {
                let _ = write!(line, "{cell:<width$}");
            } else if column == N - 1 {
                let _ = write!(line, "  {}", style(number, cell));
            } else {
                let _ = write!(line, "  {cell:>width$}");
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Breaks a text into lines.
fn wrap(text: &str, first: &str, other: &str) -> String {
    let mut out = String::new();
    let mut line = first.to_owned();
    let mut used = first.chars().count();
    let mut empty = true;

    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !empty && used + 1 + length > WIDTH {
            out.push_str(line.trim_end());
            out.push('\n');
            line = other.to_owned();
            used = other.chars().count();
            empty = true;
        }
        if !empty {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
        empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::{wrap, WIDTH};

    #[test]
    fn lines_are_not_too_long() {
        let text = "word ".repeat(100) + &"x".repeat(200);
        let wrapped = wrap(&text, "- ", "  ");
        assert!(wrapped
            .lines()
            .all(|line| line.len() <= WIDTH || line.contains("xxx")));
        assert!(wrapped.starts_with("- word"));
        assert_eq!(wrapped.split_whitespace().count(), 102);
    }
}
