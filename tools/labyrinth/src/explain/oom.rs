// SPDX-License-Identifier: GPL-2.0

//! The lines that only the OOM killer prints.

use super::{
    header::{after, number, number_after},
    report::{Oom, Victim},
};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// How many of the largest processes and caches are kept.
const LARGEST: usize = 3;
/// The words of "Killed process", "no killable processes" and "oom-kill:".
static KILL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("ill"));
static DEADLOCK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("deadlocked"));
/// The longest line with the killed process.
const LONGEST_VICTIM: usize = 512;
/// How many statistics of a group are kept.
const STATS: usize = 96;

/// Reads the lines of one report of the OOM killer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reader {
    mode: Mode,
    /// The column of the resident pages in the table of processes.
    rss: usize,
    /// How many columns come before the name.
    columns: usize,
    /// Whether the process that was killed is named, which is the last of the report.
    pub ended: bool,
    /// The line with that name, if its end is missing.
    partial: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Elsewhere,
    Stats,
    Slabs,
    Tasks,
}

impl Reader {
    /// Reads a line, if it is one of these.
    pub fn feed(&mut self, oom: &mut Oom, text: &str) -> bool {
        if let Some(mut whole) = self.partial.take() {
            // A terminal has broken the line, or its end is lost.
            whole.push_str(text);
            let mut more = oom.clone();
            self.ended = true;
            if !victim(&mut more, &whole) || more.victim == oom.victim {
                return false;
            }
            if whole.len() < LONGEST_VICTIM && !is_whole(&whole) {
                (self.partial, self.ended) = (Some(whole), false);
            }
            *oom = more;
            return true;
        }
        let line = text.trim();

        if let Some(rest) = line.strip_prefix("Task in ") {
            if let Some((_, limit)) = rest.split_once(" killed as a result of limit of ") {
                oom.memcg = Some(limit.to_owned());
                return true;
            }
        }
        for (key, slot) in [
            ("memory: usage ", &mut oom.memory),
            ("memory+swap: usage ", &mut oom.memsw),
            ("swap: usage ", &mut oom.swap),
            ("kmem: usage ", &mut oom.kmem),
        ] {
            if let Some(rest) = line.strip_prefix(key) {
                *slot = slot.or_else(|| usage(rest));
                return true;
            }
        }
        if let Some(rest) = line.strip_prefix("Memory cgroup stats for ") {
            self.mode = Mode::Stats;
            let (group, stats) = rest.split_once(':').unwrap_or((rest, ""));
            if oom.memcg.is_none() && !group.is_empty() {
                oom.memcg = Some(group.to_owned());
            }
            for word in stats.split_whitespace() {
                let pair = word.split_once(':');
                if let Some((name, Some(kib))) =
                    pair.map(|(name, size)| (name, size.strip_suffix("KB").and_then(number)))
                {
                    stat(oom, name, kib);
                } else if let Some((name, size)) = stats.trim().split_once(' ') {
                    // The first statistic of kernels since 5.3, in the same line.
                    if let Some(bytes) = number(size.trim()) {
                        stat(oom, name, bytes >> 10);
                    }
                    break;
                }
            }
            return true;
        }
        if line.starts_with("Unreclaimable slab info:") {
            self.mode = Mode::Slabs;
            return true;
        }
        if line.starts_with("Tasks state (memory values in pages)") {
            return true;
        }
        if let Some(at) = line.strip_prefix("[ ").and_then(|_| line.find("] ")) {
            let inside = line[1..at].trim();
            if inside == "pid" {
                self.mode = Mode::Tasks;
                let names: Vec<&str> = line[at + 1..].split_whitespace().collect();
                self.rss = names.iter().position(|name| *name == "rss").unwrap_or(3);
                self.columns = names.len().saturating_sub(1);
                return true;
            }
        }
        if line.starts_with("COMPACTION is disabled") {
            oom.no_compaction = true;
            return true;
        }
        // All of the following have one of these.
        if [&KILL, &DEADLOCK]
            .iter()
            .all(|finder| finder.find(line.as_bytes()).is_none())
        {
            return self.row(oom, line);
        }
        if line.contains("no killable processes") || line.contains("System is deadlocked on memory")
        {
            oom.dead_end.get_or_insert_with(|| line.to_owned());
            return true;
        }
        if let Some(rest) = after(line, "oom-kill:constraint=") {
            self.mode = Mode::Elsewhere;
            constraint(oom, rest);
            return true;
        }
        if victim(oom, line) {
            self.mode = Mode::Elsewhere;
            // Kernels before 5.0 print "Kill process" first, and "Killed process" then.
            let last = line.contains("Killed process");
            self.ended = last && is_whole(line);
            if last && !self.ended {
                self.partial = Some(text.trim_start().to_owned());
            }
            return true;
        }
        self.row(oom, line)
    }

    /// Reads a row of a table.
    fn row(&mut self, oom: &mut Oom, line: &str) -> bool {
        // The words of plain text are found faster.
        if line.is_ascii() {
            self.words(oom, line, str::split_ascii_whitespace)
        } else {
            self.words(oom, line, str::split_whitespace)
        }
    }

    fn words<'a, I: Iterator<Item = &'a str>>(
        &mut self,
        oom: &mut Oom,
        line: &'a str,
        split: impl Fn(&'a str) -> I,
    ) -> bool {
        let mut words = split(line);
        match self.mode {
            Mode::Elsewhere => false,
            Mode::Stats => {
                let (Some(name), Some(size), None) = (words.next(), words.next(), words.next())
                else {
                    return false;
                };
                let Some(bytes) = whole(size) else {
                    return false;
                };
                stat(oom, name, bytes >> 10);
                true
            }
            Mode::Slabs => {
                let (Some(name), Some(used), Some(total), None) =
                    (words.next(), words.next(), words.next(), words.next())
                else {
                    return false;
                };
                if [name, used, total] == ["Name", "Used", "Total"] {
                    return true;
                }
                let Some(kib) = total.strip_suffix("KB").and_then(whole) else {
                    return false;
                };
                oom.slabs.push((name.to_owned(), kib));
                oom.slabs.sort_by_key(|slab| std::cmp::Reverse(slab.1));
                oom.slabs.truncate(LARGEST);
                true
            }
            Mode::Tasks => {
                let Some((pid, rest)) =
                    line.strip_prefix('[').and_then(|rest| rest.split_once(']'))
                else {
                    return false;
                };
                let Some(pid) = whole(pid.trim()) else {
                    return false;
                };
                oom.task_count += 1;
                let Some(rss) = split(rest).nth(self.rss).and_then(whole) else {
                    return true;
                };
                // Most processes are not among the largest.
                if oom.tasks.len() == LARGEST && oom.tasks.iter().all(|task| task.2 >= rss) {
                    return true;
                }
                let name: Vec<&str> = split(rest).skip(self.columns).collect();
                if !name.is_empty() {
                    oom.tasks.push((name.join(" "), pid, rss));
                    oom.tasks.sort_by_key(|task| std::cmp::Reverse(task.2));
                    oom.tasks.truncate(LARGEST);
                }
                true
            }
        }
    }
}

/// Returns whether the line with the killed process names all that is used of it.
fn is_whole(line: &str) -> bool {
    ["anon-rss:", "file-rss:"]
        .iter()
        .all(|key| after(line, key).and_then(kib).is_some())
}

fn whole(word: &str) -> Option<u64> {
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        number(word)
    } else {
        None
    }
}

fn stat(oom: &mut Oom, name: &str, kib: u64) {
    if oom.stats.len() < STATS && !oom.stats.iter().any(|(old, _)| old == name) {
        oom.stats.push((name.to_owned(), kib));
    }
}

/// Reads "1048576kB, limit 1048576kB, failcnt 141".
fn usage(text: &str) -> Option<[u64; 3]> {
    let usage = kib(text)?;
    let limit = kib(after(text, "limit ")?)?;

    Some([usage, limit, number_after(text, "failcnt ")?])
}

/// Reads a size such as "123kB".
fn kib(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();

    text[digits..].starts_with("kB").then(|| number(text))?
}

/// Reads the rest of "oom-kill:constraint=".
fn constraint(oom: &mut Oom, rest: &str) {
    let name: String = rest
        .chars()
        .take_while(|c| c.is_ascii_uppercase() || *c == '_')
        .collect();
    if !name.is_empty() {
        oom.constraint.get_or_insert(name);
    }
    if let Some(group) = after(rest, "oom_memcg=").and_then(|rest| rest.split(',').next()) {
        oom.memcg.get_or_insert_with(|| group.to_owned());
    }
    if let Some(task) = after(rest, ",task=").and_then(|rest| rest.split(",pid=").next()) {
        let victim = oom.victim.get_or_insert_with(Victim::default);
        if victim.comm.is_empty() {
            victim.comm = task.to_owned();
        }
        victim.pid = victim.pid.or_else(|| number_after(rest, ",pid="));
    }
}

/// Reads "Killed process 1234 (name) total-vm:…", or "Kill process".
fn victim(oom: &mut Oom, line: &str) -> bool {
    let Some(rest) = after(line, "Killed process ").or_else(|| after(line, "Kill process ")) else {
        return false;
    };
    let Some(pid) = number(rest) else {
        return false;
    };
    if line.contains("emory cgroup out of memory") && oom.constraint.is_none() {
        oom.constraint = Some("CONSTRAINT_MEMCG".to_owned());
    }
    let victim = oom.victim.get_or_insert_with(Victim::default);
    let comm = rest
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(") ").or_else(|| rest.split_once("),")))
        .map(|(comm, _)| comm);
    if victim.pid != Some(pid) {
        *victim = Victim::default();
    }
    victim.pid = Some(pid);
    if let Some(comm) = comm {
        victim.comm = comm.to_owned();
    }
    for (slot, key) in victim
        .rss
        .iter_mut()
        .zip(["anon-rss:", "file-rss:", "shmem-rss:"])
    {
        *slot = slot.or_else(|| after(rest, key).and_then(kib));
    }
    if let Some(rest) = after(rest, "oom_score_adj:") {
        victim.adjustment = number(rest.trim_start_matches('-'))
            .and_then(|value| i64::try_from(value).ok())
            .map(|value| if rest.starts_with('-') { -value } else { value });
    }
    true
}

#[cfg(test)]
mod tests {
    use super::Reader;
    use crate::explain::report::Oom;

    fn read(lines: &[&str]) -> (Oom, Reader) {
        let mut oom = Oom::default();
        let mut reader = Reader::default();
        for line in lines {
            assert!(reader.feed(&mut oom, line), "{line}");
        }
        (oom, reader)
    }

    #[test]
    fn groups_at_their_limit_are_read() {
        let (oom, reader) = read(&[
            "memory: usage 1048576kB, limit 1048576kB, failcnt 141",
            "swap: usage 0kB, limit 9007199254740988kB, failcnt 0",
            "Memory cgroup stats for /a.slice:",
            "anon 1048576",
            "file 4096",
            "Tasks state (memory values in pages):",
            "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
            "[   1234]     0  1234     2238      512    61440        0             0 a b",
            "[   1235]     0  1235     2238      900    61440        0             0 c",
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg=/a.slice,task_memcg=/a.slice/b,task=c,pid=1235,uid=0",
            "Memory cgroup out of memory: Killed process 1235 (c) total-vm:8952kB, anon-rss:3000kB, file-rss:600kB, shmem-rss:0kB, UID:0 pgtables:60kB oom_score_adj:-5",
        ]);
        assert_eq!(oom.memory, Some([1048576, 1048576, 141]));
        assert_eq!(oom.memcg.as_deref(), Some("/a.slice"));
        assert_eq!(
            oom.stats,
            [("anon".to_owned(), 1024), ("file".to_owned(), 4)]
        );
        assert_eq!(oom.tasks[0], ("c".to_owned(), 1235, 900));
        assert_eq!(oom.tasks[1].0, "a b");
        let victim = oom.victim.unwrap();
        assert_eq!(
            (victim.pid, victim.rss[0], victim.adjustment),
            (Some(1235), Some(3000), Some(-5))
        );
        assert!(reader.ended);
    }

    #[test]
    fn the_last_line_alone_tells_that_it_was_a_group() {
        let line = "Memory cgroup out of memory: Killed process 5 (a) total-vm:1kB, anon-rss:1kB";
        let (oom, _) = read(&[line]);
        assert_eq!(oom.constraint.as_deref(), Some("CONSTRAINT_MEMCG"));
    }

    #[test]
    fn a_broken_last_line_is_joined() {
        let line = "Out of memory: Killed process 12345 (a name) total-vm:8952kB, \
                    anon-rss:3000kB, file-rss:600kB, shmem-rss:0kB";
        for width in 31..line.find("600kB").unwrap() {
            let (first, rest) = line.split_at(width);
            let (oom, _) = read(&[first, rest]);
            let victim = oom.victim.unwrap();
            let found = (victim.pid, victim.comm.as_str(), victim.rss[0]);
            assert_eq!(found, (Some(12345), "a name", Some(3000)), "{first}");
        }
        let mut oom = Oom::default();
        let mut reader = Reader::default();
        assert!(reader.feed(&mut oom, "Killed process 5 (a) total-vm:1kB"));
        assert!(!reader.ended && !reader.feed(&mut oom, "usb 1-1: new device"));
        assert!(reader.ended && oom.victim.unwrap().comm == "a");
    }

    #[test]
    fn kernels_of_2017_are_read() {
        let (oom, reader) = read(&[
            "Task in /docker/x killed as a result of limit of /docker",
            "Memory cgroup stats for /docker: cache:12KB rss:500KB",
            "[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name",
            "[  472]     0   472      226        7       3       0        0             0 askfirst",
            "Out of memory: Kill process 472 (askfirst) score 0 or sacrifice child",
            "Killed process 473 (child) total-vm:904kB, anon-rss:28kB, file-rss:0kB, shmem-rss:0kB",
        ]);
        assert_eq!(oom.memcg.as_deref(), Some("/docker"));
        assert_eq!(oom.stats[1], ("rss".to_owned(), 500));
        assert_eq!(oom.tasks, [("askfirst".to_owned(), 472, 7)]);
        assert_eq!(oom.victim.unwrap().comm, "child");
        assert!(reader.ended);
    }
}
