// SPDX-License-Identifier: GPL-2.0

//! The answer as JSON.

use super::{
    advice,
    group::Group,
    judge::{judge, Judgement, Verdict},
    report::{Kind, Report},
    why, Found,
};
use crate::json;
use schemars::JsonSchema;
use serde::Serialize;

/// The reports of a log, and why each of these requests failed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document {
    /// The name and version of this format.
    pub schema: &'static str,
    /// The files that were read.
    pub files: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
    /// Their lines.
    pub lines: u64,
    /// Bytes that are not text, such as NUL.
    pub binary_bytes: u64,
    /// The lines that have such bytes.
    pub binary_lines: u64,
    /// Lines of which only a part was read, because they are too long.
    pub long_lines: u64,
    /// How many reports there are.
    pub reports_count: u64,
    /// How many of them are not described, because there are too many kinds.
    pub left_out_count: u64,
    /// The reports. Those that are alike are one entry, unless each was wanted.
    pub reports: Vec<Entry>,
    /// How many reports the kernel suppressed.
    pub suppressed: Vec<Suppressed>,
    /// Lines that others say they have dropped.
    pub lost: Vec<Suppressed>,
}

impl json::Document for Document {
    const NAME: &'static str = "explain";
}

/// A number of things that the log does not show.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Suppressed {
    /// What they are about, or who dropped them.
    pub what: String,
    /// How many.
    pub count: u64,
}

/// Reports that are alike, by one of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Entry {
    /// How many there are.
    pub count: u64,
    /// The lines of the first ones that are not described here.
    pub other_lines: Vec<u64>,
    /// The file.
    pub file: String,
    /// The first line of the report.
    pub line: u64,
    /// The last line that was read for it.
    pub last_line: u64,
    /// When, as the log has it.
    pub time: Option<String>,
    /// When the last one was.
    pub last_time: Option<String>,
    /// The kernel.
    pub kernel: Option<String>,
    /// `page`, `stall`, `vmalloc`, `vmemmap`, `slab`, `cma`, `oom`, `oom-memcg` or `memory`.
    pub kind: &'static str,
    /// The name of the process.
    pub comm: Option<String>,
    /// Its PID.
    pub pid: Option<u64>,
    /// The order of the request.
    pub order: Option<u32>,
    /// Its flags, by name if the log has these.
    pub flags: Option<String>,
    /// The function that wanted memory.
    pub caller: Option<String>,
    /// The reason in one sentence.
    pub reason: String,
    /// More sentences.
    pub more: Vec<String>,
    /// What would have served the request.
    pub served_by: Vec<String>,
    /// What to set.
    pub advice: Vec<Advice>,
    /// The zones.
    pub zones: Vec<Zone>,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

/// Something to set or to change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Advice {
    /// The name of the setting.
    pub setting: &'static str,
    /// Its value, if there is one to propose.
    pub value: Option<u64>,
    /// The advice, with its reason.
    pub text: String,
}

/// A zone. Sizes are in KiB; null is what the log does not have.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Zone {
    /// The node.
    pub node: Option<u64>,
    /// The name.
    pub name: String,
    /// Free memory.
    pub free_kib: Option<u64>,
    /// The watermark min, with its boost.
    pub min_kib: Option<u64>,
    /// The watermark low.
    pub low_kib: Option<u64>,
    /// The memory that the kernel manages.
    pub managed_kib: Option<u64>,
    /// Free memory that the request could use.
    pub usable_kib: Option<u64>,
    /// Free memory that had to be left.
    pub limit_kib: Option<u64>,
    /// The part of the limit that protects the zone from requests for higher zones.
    pub reserve_kib: Option<u64>,
    /// The order of the largest free block that the request could use.
    pub largest_order: Option<u32>,
    /// `too-low`, `no-block`, `serves`, `barred` or `unknown`.
    pub verdict: &'static str,
    /// How much was missing, if free memory was too low.
    pub short_kib: Option<u64>,
    /// Why the zone was barred, if it was.
    pub barred: Option<&'static str>,
}

/// Something that could not be read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Unread {
    /// The line.
    pub line: Option<u64>,
    /// What is wrong with it.
    pub what: String,
}

/// Makes the document.
pub fn document(found: &Found) -> Document {
    let pairs = |map: &std::collections::BTreeMap<&'static str, u64>| {
        map.iter()
            .map(|(what, count)| Suppressed {
                what: (*what).to_owned(),
                count: *count,
            })
            .collect()
    };
    Document {
        schema: "labyrinth/explain/1",
        files: found.files.clone(),
        bytes: found.bytes,
        lines: found.lines,
        binary_bytes: found.binary.bytes,
        binary_lines: found.binary.lines,
        long_lines: found.long_lines,
        reports_count: found.groups.reports(),
        left_out_count: found.groups.left_out,
        reports: found.groups.groups().iter().map(entry).collect(),
        suppressed: pairs(&found.suppressed),
        lost: pairs(&found.lost),
    }
}

/// Returns the name of a kind.
pub fn kind(report: &Report) -> &'static str {
    match report.kind {
        Kind::Page => "page",
        Kind::Stall { .. } => "stall",
        Kind::Vmalloc { .. } => "vmalloc",
        Kind::Vmemmap => "vmemmap",
        Kind::Slab => "slab",
        Kind::Cma { .. } => "cma",
        Kind::Oom if report.is_memcg() => "oom-memcg",
        Kind::Oom => "oom",
        Kind::MemInfo => "memory",
    }
}

fn entry(group: &Group) -> Entry {
    let report = &group.report;
    let judgement = judge(report);
    let why = why::why(report, judgement.as_ref());

    Entry {
        count: group.count,
        other_lines: group.lines.clone(),
        file: report.file.clone(),
        line: report.line,
        last_line: report.last_line,
        time: report.time.clone(),
        last_time: group.last_time.clone(),
        kernel: report.kernel.as_ref().map(|version| version.text.clone()),
        kind: kind(report),
        comm: report.comm.clone(),
        pid: report.pid,
        order: report.order,
        flags: report.mode.as_ref().map(|mode| mode.text()),
        caller: report.trace.caller(),
        reason: why.reason,
        more: why.more,
        served_by: why.served_by,
        advice: advice::advise(report, judgement.as_ref())
            .into_iter()
            .map(|advice| Advice {
                setting: advice.setting,
                value: advice.value,
                text: advice.text,
            })
            .collect(),
        zones: zones(report, judgement.as_ref()),
        unread: report
            .unread
            .iter()
            .map(|unread| Unread {
                line: unread.line,
                what: unread.what.clone(),
            })
            .collect(),
    }
}

fn zones(report: &Report, judgement: Option<&Judgement<'_>>) -> Vec<Zone> {
    let Some(memory) = &report.memory else {
        return Vec::new();
    };
    memory
        .zones
        .iter()
        .enumerate()
        .map(|(index, zone)| {
            let judged = judgement.map(|judgement| &judgement.zones[index]);
            let page = judgement.map_or(4, |judgement| judgement.page_kib);
            let size = |pages: Option<u64>| pages.map(|pages| pages.saturating_mul(page));
            let (verdict, short, barred) = match judged.map(|judged| &judged.verdict) {
                Some(Verdict::TooLow(short)) => ("too-low", Some(*short), None),
                Some(Verdict::NoBlock) => ("no-block", None, None),
                Some(Verdict::Serves) => ("serves", None, None),
                Some(Verdict::Barred(why)) => ("barred", None, Some(*why)),
                Some(Verdict::Unknown(_)) | None => ("unknown", None, None),
            };
            Zone {
                node: zone.node,
                name: zone.name.clone(),
                free_kib: zone.get("free"),
                min_kib: zone.get("min"),
                low_kib: zone.get("low"),
                managed_kib: zone.get("managed"),
                usable_kib: size(judged.and_then(|judged| judged.usable)),
                limit_kib: size(judged.and_then(super::judge::Judged::limit)),
                reserve_kib: size(judged.and_then(|judged| judged.reserve)),
                largest_order: judged.and_then(|judged| judged.largest),
                verdict,
                short_kib: size(short),
                barred,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Document;
    use crate::json;

    #[test]
    fn the_schema_is_the_one_that_is_documented() {
        json::hold::<Document>();
    }
}
