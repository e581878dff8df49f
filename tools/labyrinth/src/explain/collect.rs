// SPDX-License-Identifier: GPL-2.0

//! Puts the lines of a log together to reports.

use super::{
    header::{self, number, number_after},
    kernel::Version,
    mail::Mail,
    meminfo::{Fed, Memory},
    oom,
    prefix::{self, Text},
    report::{Kind, Report},
    scan::{Line, LONGEST},
    unwrap::Unwrap,
    words::start,
};
use memchr::{memchr, memchr_iter, memmem::Finder};
use std::{collections::BTreeMap, sync::LazyLock};

/// The longest part of a message that is looked at. The kernel's messages have 1 KiB at most, and the
/// names of groups in them 4 KiB.
const LONGEST_MESSAGE: usize = 8 << 10;
/// After so many lines that do not belong to it, a report is over.
const PATIENCE: u64 = 300;
/// The page allocator reports once in so many seconds.
const SAME_TIME: f64 = 10.0;
/// So many reports can be mixed with each other.
const OPEN: usize = 8;

/// The functions whose rate limits hide reports, and what they report.
const LIMITED: [(&str, &str); 9] = [
    ("warn_alloc", "page allocation failures"),
    ("warn_alloc_failed", "page allocation failures"),
    ("slab_out_of_memory", "failures of slab caches"),
    ("oom_kill_process", "reports of the OOM killer"),
    ("dump_header", "reports of the OOM killer"),
    ("out_of_memory", "reports of the OOM killer"),
    ("cma_alloc", "failures of CMA areas"),
    ("__cma_alloc", "failures of CMA areas"),
    ("cma_range_alloc", "failures of CMA areas"),
];

/// Collects reports.
#[derive(Default)]
pub struct Collector {
    file: String,
    open: Vec<Open>,
    version: Option<Version>,
    /// The line and the time of the last report of the page allocator.
    last_page: Option<(u64, Option<f64>)>,
    /// The PID of the last process that the OOM killer chose, and the line and time of its report.
    last_victim: Option<(u64, u64, Option<f64>)>,
    /// The parts so far of a message that netconsole split.
    fragments: Option<String>,
    mail: Mail,
    unwrap: Unwrap,
    /// How many reports the kernel suppressed, by what they are about.
    pub suppressed: BTreeMap<&'static str, u64>,
    /// Lines about lines that were lost, by what lost them.
    pub lost: BTreeMap<&'static str, u64>,
}

struct Open {
    report: Report,
    oom: oom::Reader,
    idle: u64,
    /// Whether lines of another report came in between.
    mixed: bool,
    /// Whether the last line of the memory information belongs to this report.
    current: bool,
}

impl Collector {
    /// Goes on with another file.
    pub fn file(&mut self, name: &str) {
        self.file = name.to_owned();
        self.version = None;
        self.last_page = None;
        self.last_victim = None;
        self.fragments = None;
        self.mail.end();
        self.unwrap.end();
    }

    /// Returns whether lines without any of the scanner's strings matter.
    pub fn wants_all(&self) -> bool {
        !self.open.is_empty()
            || self.fragments.is_some()
            || self.mail.holds()
            || self.unwrap.holds()
    }

    /// Takes a line, and returns the reports that are over.
    pub fn line(&mut self, line: Line) -> Vec<Report> {
        // Otherwise, nothing but a held line makes the caller give all lines, and they do not matter.
        let matters = !self.wants_all() || !self.open.is_empty();

        match self.mail.line(line) {
            Some(line) => self.decoded(line, matters),
            None => Vec::new(),
        }
    }

    /// Takes a line that may be a part of one.
    fn decoded(&mut self, line: Line, matters: bool) -> Vec<Report> {
        let mut done = Vec::new();

        for line in self.unwrap.line(line, matters).into_iter().flatten() {
            done.extend(self.whole(&line));
        }
        done
    }

    /// Takes a complete line.
    fn whole(&mut self, line: &Line) -> Vec<Report> {
        let mut text = prefix::strip(&line.bytes);
        let mut done = Vec::new();
        // A string of the scanner can appear only by a change to the line.
        text.anchor |= line.anchor;

        if let Some((at, of)) = text.fragment {
            // The parts of a message follow each other, unless one was lost.
            let part = std::mem::take(&mut text.message);
            let before = self.fragments.take().filter(|whole| whole.len() == at);
            let whole = before.unwrap_or_default() + &part;
            if whole.len() < of.min(LONGEST) && (at == 0 || whole.len() > part.len()) {
                self.fragments = Some(whole);
                return done;
            }
            text.message = prefix::unescape(&whole).into_owned();
            text.anchor = true;
        } else if let Some(lost) = self.fragments.take() {
            let anchor = std::mem::replace(&mut text.anchor, true);
            self.messages(line, &text, &lost, false, &mut done);
            text.anchor = anchor;
        }
        let message = std::mem::take(&mut text.message);
        self.messages(line, &text, &message, !line.unfinished, &mut done);
        self.relate(&mut done);
        if line.cut {
            if let Some(open) = self.open.last_mut() {
                open.report.note(
                    Some(line.number),
                    "the line is too long, and only a part of it was read",
                );
            }
        }
        done
    }

    /// Takes a message, which can have several lines.
    fn messages(
        &mut self,
        line: &Line,
        text: &Text,
        messages: &str,
        complete: bool,
        done: &mut Vec<Report>,
    ) {
        let last = memchr_iter(b'\n', messages.as_bytes()).count();
        for (index, message) in messages.split('\n').enumerate() {
            let mut message = message;
            if message.len() > LONGEST_MESSAGE {
                // A part of a number is another number.
                message = start(message, LONGEST_MESSAGE)
                    .trim_end_matches(|c: char| c.is_ascii_alphanumeric());
            }
            self.message(line, text, message, complete || index < last, done);
        }
    }

    /// Ends a file, with all its reports.
    pub fn end(&mut self) -> Vec<Report> {
        let mut done = match self.mail.end() {
            Some(line) => self.decoded(line, false),
            None => Vec::new(),
        };
        if let Some(line) = self.unwrap.end() {
            done.extend(self.whole(&line));
        }
        done.extend(self.end_reports());
        done
    }

    /// Ends all reports.
    fn end_reports(&mut self) -> Vec<Report> {
        if self.fragments.take().is_some() {
            if let Some(open) = self.open.last_mut() {
                let line = open.report.last_line;
                open.report.note(
                    Some(line),
                    "the rest of a message after this line is missing",
                );
            }
        }
        let mut done = self.open.drain(..).map(finish).collect();
        self.relate(&mut done);
        done
    }

    /// Finds reports about a process that the OOM killer had just chosen.
    fn relate(&mut self, done: &mut Vec<Report>) {
        for report in done {
            match (&report.kind, &report.oom.victim) {
                (Kind::Oom, Some(victim)) => {
                    self.last_victim = victim.pid.map(|pid| (pid, report.line, report.seconds));
                }
                (Kind::Page | Kind::Vmalloc { .. }, _) if report.killed.is_none() => {
                    let Some((pid, line, seconds)) = self.last_victim else {
                        continue;
                    };
                    let soon = match (seconds, report.seconds) {
                        (Some(before), Some(now)) => (now - before).abs() <= SAME_TIME,
                        _ => true,
                    };
                    if report.pid == Some(pid) && report.line > line && soon {
                        report.killed = Some(line);
                    }
                }
                _ => {}
            }
        }
    }

    fn message(
        &mut self,
        line: &Line,
        text: &Text,
        message: &str,
        complete: bool,
        done: &mut Vec<Report>,
    ) {
        if text.anchor {
            self.suppressed(message);
        }
        self.lost(line, message);
        if text.anchor && message.contains("Linux version ") {
            if let Some(version) = Version::find(message) {
                // The machine booted, so whatever was printed before is over.
                self.version = Some(version);
                done.extend(self.end_reports());
            }
            return;
        }
        let report = if text.anchor {
            header::recognise(&self.file, line.number, message)
        } else {
            None
        };
        if let Some(report) = report {
            self.begin(report, text, done);
            if !complete {
                if let Some(open) = self.open.last_mut() {
                    open.report.note(
                        Some(line.number),
                        "the log ends in the middle of the first line",
                    );
                }
            }
            return;
        }
        if self.open.is_empty() && !self.begin_without_head(line, text, message) {
            return;
        }
        let took = self.offer(line, text, message, complete);
        for (index, open) in self.open.iter_mut().enumerate() {
            if took == Some(index) {
                open.idle = 0;
                open.report.last_line = line.number;
            } else {
                open.idle += 1;
            }
        }
        let mut index = 0;
        while index < self.open.len() {
            let open = &self.open[index];
            if open.idle > PATIENCE || open.oom.ended {
                done.push(finish(self.open.remove(index)));
            } else {
                index += 1;
            }
        }
    }

    /// Counts reports that the kernel says it suppressed.
    fn suppressed(&mut self, message: &str) {
        if let Some(at) = message.find(" callbacks suppressed") {
            let before = &message[..at];
            let count = before
                .rsplit(' ')
                .next()
                .and_then(number)
                .filter(|_| before.contains(": "));
            let name = before.split(':').next().unwrap_or("").trim();
            let name = name.rsplit(' ').next().unwrap_or("");
            if let (Some(count), Some((_, what))) = (
                count,
                LIMITED.iter().find(|(function, _)| *function == name),
            ) {
                let sum = self.suppressed.entry(what).or_default();
                *sum = sum.saturating_add(count);
            }
        }
    }

    /// Counts lines that the kernel and others say are lost.
    fn lost(&mut self, line: &Line, message: &str) {
        static MESSAGES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("messages"));

        if MESSAGES.find(message.as_bytes()).is_none() {
            return;
        }
        let lost = if message.contains("printk messages dropped") {
            "the kernel"
        } else if message.contains("kernel messages") && message.contains("Missed ") {
            "the journal"
        } else if message.contains("messages lost due to rate-limiting")
            || message.contains("Suppressed ") && message.contains(" messages from ")
        {
            "the log daemon"
        } else {
            return;
        };
        let count = message
            .split_whitespace()
            .find_map(|word| word.parse::<u64>().ok())
            .unwrap_or(1);
        let sum = self.lost.entry(lost).or_default();
        *sum = sum.saturating_add(count);
        for open in &mut self.open {
            open.report.note(
                Some(line.number),
                format!("{lost} dropped {count} lines here"),
            );
        }
    }

    /// Begins a report.
    fn begin(&mut self, mut report: Report, text: &Text, done: &mut Vec<Report>) {
        report.time.clone_from(&text.time);
        report.seconds = text.seconds;
        report.printer.clone_from(&text.caller);
        report.kernel.clone_from(&self.version);
        match report.kind {
            Kind::Page => self.last_page = Some((report.line, report.seconds)),
            Kind::Slab => {
                let near = |(line, seconds): &(u64, Option<f64>)| match (seconds, report.seconds) {
                    (Some(before), Some(now)) => (now - before).abs() <= SAME_TIME,
                    _ => report.line - line <= PATIENCE,
                };
                report.related = self.last_page.filter(near).map(|(line, _)| line);
            }
            _ => {}
        }
        // One CPU or thread prints one report after the other. Without their names, a report is over
        // once it has its last lines.
        let mut index = 0;
        while index < self.open.len() {
            let old = &self.open[index].report;
            let same = old.printer.is_some() && old.printer == report.printer;
            let complete = old.memory.as_ref().is_some_and(|memory| memory.ended);
            let small = (!old.slab.nodes.is_empty() || old.kind != Kind::Slab)
                && old.is_small()
                && old.memory.is_none();
            // The OOM killer prints more after its memory information.
            let more = old.kind == Kind::Oom && report.kind != Kind::Oom && old.printer.is_none();
            if same || (complete && !more) || small {
                done.push(finish(self.open.remove(index)));
            } else {
                index += 1;
            }
        }
        if self.open.len() == OPEN {
            done.push(finish(self.open.remove(0)));
        }
        self.open.push(Open {
            report,
            oom: oom::Reader::default(),
            idle: 0,
            mixed: false,
            current: false,
        });
    }

    /// Begins a report whose first line is missing, if this line is the rest of one.
    fn begin_without_head(&mut self, line: &Line, text: &Text, message: &str) -> bool {
        let kind = if message.contains("Mem-Info:")
            || message.contains("lowmem_reserve[]")
            || message.contains(" free:") && message.contains("kB min:")
        {
            Kind::MemInfo
        } else if message.contains("oom-kill:constraint=")
            || ["Killed process ", "ut of memory: Kill process "]
                .iter()
                .any(|key| number_after(message, key).is_some())
        {
            Kind::Oom
        } else {
            return false;
        };
        let report = Report::new(&self.file, line.number, kind);
        self.begin(report, text, &mut Vec::new());
        true
    }

    /// Offers a line to the reports, and returns which took it.
    fn offer(&mut self, line: &Line, text: &Text, message: &str, complete: bool) -> Option<usize> {
        let mut order: Vec<usize> = (0..self.open.len()).collect();
        if let Some(printer) = &text.caller {
            // The line says whose it is.
            let own: Vec<usize> = order
                .iter()
                .copied()
                .filter(|&index| self.open[index].report.printer.as_ref() == Some(printer))
                .collect();
            let anybody: Vec<usize> = order
                .iter()
                .copied()
                .filter(|&index| self.open[index].report.printer.is_none())
                .collect();
            order = if own.is_empty() { anybody } else { own };
        } else {
            // Lines that go on with something belong to the report of the line before.
            order.sort_by_key(|&index| !self.open[index].current);
        }
        let several = order.len() > 1;
        let mut again = None;
        for &index in &order {
            let open = &mut self.open[index];
            match open.feed(line.number, message, complete, several) {
                Fed::No => {}
                Fed::Took(problems) => {
                    for problem in problems {
                        open.report.note(Some(line.number), problem);
                    }
                    if several {
                        open.mixed = true;
                    }
                    for (other, open) in self.open.iter_mut().enumerate() {
                        open.current = other == index;
                    }
                    return Some(index);
                }
                Fed::Again(what) => {
                    again.get_or_insert((index, what));
                }
            }
        }
        let (index, what) = again?;
        let open = &mut self.open[index];
        open.report.note(
            Some(line.number),
            format!("{what} come a second time, and the first ones are used"),
        );
        Some(index)
    }
}

impl Open {
    fn feed(&mut self, line: u64, message: &str, complete: bool, several: bool) -> Fed {
        if !matches!(self.report.kind, Kind::Vmalloc { .. } if self.report.is_small())
            && self.cpu(message)
        {
            return Fed::Took(Vec::new());
        }
        let report = &mut self.report;
        // Slab caches print no memory information, and CMA areas hardly ever do.
        let has_memory = match report.kind {
            Kind::Cma { .. } => !several,
            _ => !report.is_small(),
        };
        if has_memory {
            let memory = report.memory.get_or_insert_with(Memory::default);
            if several && memory.begun && message.contains("Mem-Info:") {
                // It is of another report.
                return Fed::No;
            }
            match memory.feed(line, message, complete) {
                Fed::No => {}
                fed => return fed,
            }
        }
        let report = &mut self.report;
        if report.kind == Kind::Slab && slab(report, message) {
            return Fed::Took(Vec::new());
        }
        if report.kind == Kind::Oom && self.oom.feed(&mut report.oom, message) {
            if message.contains("constraint=") {
                header::details(report, message);
            }
            return Fed::Took(Vec::new());
        }
        let trace_over = report.memory.as_ref().is_some_and(|memory| memory.begun);
        if !trace_over && report.trace.feed(message) {
            return Fed::Took(Vec::new());
        }
        let equals = memchr(b'=', message.as_bytes()).is_some();
        if equals && message.contains("cpuset=") && message.contains("mems_allowed=")
            || report.mode.is_none() && header::continues(message)
        {
            header::details(report, message);
            return Fed::Took(Vec::new());
        }
        let rest = message.trim_start();
        if [
            "Hardware name:",
            "Workqueue:",
            "Stack:",
            "Stack :",
            "Tainted: ",
            "RIP: ",
            "Code: ",
            "RSP: ",
            "RAX: ",
            "Memory cgroup min protection",
            "Memory allocations",
        ]
        .iter()
        .any(|start| rest.starts_with(start))
        {
            return Fed::Took(Vec::new());
        }
        Fed::No
    }

    /// Reads the line with the CPU, the process and the kernel.
    fn cpu(&mut self, message: &str) -> bool {
        let rest = message.trim_start();
        if !rest.starts_with("CPU: ") || !rest.contains("PID: ") || self.report.pid.is_some() {
            return false;
        }
        let comm = header::after(rest, "Comm: ").map(|rest| {
            [" Kdump:", " Not tainted", " Tainted"]
                .iter()
                .fold(rest, |rest, end| rest.split(end).next().unwrap_or(rest))
                .trim()
        });
        // The kernel may use a longer name here.
        if let (Some(comm), Some(own)) = (comm, &self.report.comm) {
            if !comm.starts_with(own.as_str()) && !own.ends_with(comm) {
                return false;
            }
        }
        if let Some(comm) = comm.filter(|comm| !comm.is_empty()) {
            self.report.comm.get_or_insert_with(|| comm.to_owned());
        }
        let pids = rest
            .split("PID: ")
            .nth(if rest.contains("UID: ") && !rest.contains(" PID: ") {
                2
            } else {
                1
            });
        self.report.pid = pids.and_then(number);
        if let Some(version) = Version::find(rest) {
            self.report.kernel = Some(version);
        }
        true
    }
}

/// Reads the lines after "SLUB: Unable to allocate memory".
fn slab(report: &mut Report, message: &str) -> bool {
    let slab = &mut report.slab;
    let line = message.trim_start();

    if let Some(rest) = line.strip_prefix("cache: ") {
        if slab.cache.is_some() {
            return false;
        }
        let small = |value: Option<u64>| value.and_then(|value| u32::try_from(value).ok());
        slab.cache = rest.split(", object size").next().map(str::to_owned);
        slab.object = number_after(rest, "object size: ");
        slab.default_order = small(number_after(rest, "default order: "));
        // SLAB, which kernels had until 6.7, has one order.
        slab.min_order =
            small(number_after(rest, "min order: ").or_else(|| number_after(rest, ", order: ")));
        report.order = report.order.or(slab.min_order);
        return true;
    }
    if let Some(rest) = line.strip_prefix("node ") {
        let (Some(node), Some(slabs), Some(objects), Some(free)) = (
            number(rest),
            number_after(rest, "slabs: "),
            number_after(rest, "objs: "),
            number_after(rest, "free: "),
        ) else {
            return false;
        };
        if slab.nodes.len() < 64 && !slab.nodes.iter().any(|old| old[0] == node) {
            slab.nodes.push([node, slabs, objects, free]);
            return true;
        }
        return false;
    }
    line.contains("debugging increased min order")
}

/// Ends a report, and notes what is missing.
fn finish(open: Open) -> Report {
    let mut report = open.report;

    if report.memory.as_ref().is_some_and(Memory::is_empty) {
        let begun = report.memory.take().is_some_and(|memory| memory.begun);
        if begun {
            let line = report.line;
            report.note(Some(line), "the lines after \"Mem-Info:\" are missing");
        }
    }
    if let Some(mode) = &mut report.mode {
        mode.decode(report.kernel.as_ref());
    }
    if open.mixed && (report.memory.is_some() || !report.slab.nodes.is_empty()) {
        report.note(
            None,
            "Lines of several reports are mixed here without a mark whose they are, so that figures \
             of the other one can be among these",
        );
    }
    missing(&mut report);
    report
}

/// Notes which important things the report lacks.
fn missing(report: &mut Report) {
    let line = report.line;
    if report.kind != Kind::MemInfo && !report.is_memcg() {
        match &report.mode {
            None if report.kind == Kind::Slab || !report.is_small() => {
                report.note(Some(line), "the flags of the request are missing");
            }
            Some(mode) if mode.flags.is_none() => {
                let text = mode.text();
                report.note(
                    Some(line),
                    format!("the flags {text} could not be read without knowing the kernel"),
                );
            }
            _ => {}
        }
        if report.order.is_none()
            && !report.oom.by_hand
            && matches!(report.kind, Kind::Page | Kind::Stall { .. } | Kind::Oom)
        {
            report.note(Some(line), "the order of the request is missing");
        }
    }
    let Some(memory) = &report.memory else {
        return;
    };
    let mut notes = Vec::new();
    let length = memory
        .zones
        .iter()
        .map(|zone| zone.reserve.len())
        .max()
        .unwrap_or(0);
    for zone in &memory.zones {
        let title = zone.title();
        let lacks: Vec<&str> = ["free", "min", "low", "managed", "free_cma"]
            .into_iter()
            .filter(|field| zone.get(field).is_none())
            .collect();
        if zone.line.is_none() {
            notes.push((
                zone.blocks_line,
                format!("the figures of zone {title} are missing"),
            ));
        } else if !lacks.is_empty() {
            notes.push((
                zone.line,
                format!("zone {title} lacks {}", lacks.join(", ")),
            ));
        }
        if zone.line.is_some() && zone.reserve_line.is_none() {
            notes.push((
                zone.line,
                format!("lowmem_reserve[] of zone {title} is missing"),
            ));
        } else if zone.line.is_some() && zone.reserve.len() < length {
            notes.push((
                zone.reserve_line,
                format!(
                    "lowmem_reserve[] of zone {title} has {} of {length} numbers",
                    zone.reserve.len()
                ),
            ));
        }
        if zone.blocks.is_empty() {
            notes.push((
                zone.line,
                format!("the free lists of zone {title} are missing"),
            ));
        } else if zone.blocks_total.is_none() {
            notes.push((
                zone.blocks_line,
                format!("the free lists of zone {title} are cut off"),
            ));
        } else if !zone.blocks_complete() {
            notes.push((
                zone.blocks_line,
                format!("the free lists of zone {title} do not add up to their sum"),
            ));
        }
    }
    for (line, note) in notes {
        report.note(line, note);
    }
}
