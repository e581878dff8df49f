// SPDX-License-Identifier: GPL-2.0

//! Tests with whole logs, which are in `tests/explain`, with the answers beside them. Set
//! `LABYRINTH_WRITE_ANSWERS` to write the answers anew, and read them.

use super::{collect::Collector, explain, report::Report, scan::Scanner};
use proptest::prelude::*;
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain")
}

/// Returns the names and the bytes of the logs.
fn logs() -> Vec<(String, Vec<u8>)> {
    let mut logs: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(&path).unwrap())
        })
        .collect();
    logs.sort();
    assert!(logs.len() >= 16);
    logs
}

fn answer(name: &str, log: Vec<u8>) -> String {
    explain(name, std::io::Cursor::new(log), false)
        .unwrap()
        .text(false)
}

#[test]
fn answers_are_those_that_were_read() {
    for (name, log) in logs() {
        let text = answer(&name, log);
        let path = folder().join(&name).with_extension("txt");
        if std::env::var_os("LABYRINTH_WRITE_ANSWERS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(text, expected, "the answer to {name} changed");
    }
}

#[test]
fn answers_fit_on_a_terminal() {
    for (name, log) in logs() {
        for line in answer(&name, log).lines() {
            assert!(line.chars().count() <= 100, "{name}: {line}");
        }
    }
}

/// The same log with other prefixes has the same answer.
#[test]
fn prefixes_do_not_matter() {
    let log = fs::read_to_string(folder().join("brief-7.0.log")).unwrap();
    let reason = |log: String| {
        let found = explain("log", std::io::Cursor::new(log.into_bytes()), false).unwrap();
        let document = serde_json::to_value(found.document()).unwrap();
        let report = &document["reports"][0];
        assert_eq!(report["unread"], serde_json::json!([]));
        [
            "comm", "order", "flags", "caller", "reason", "zones", "advice",
        ]
        .map(|key| report[key].clone())
    };
    let expected = reason(log.clone());
    let after = |line: &str| line.split_once("] ").unwrap().1.to_owned();
    type Form<'a> = (&'a str, &'a dyn Fn(&str) -> String);
    let forms: [Form<'_>; 7] = [
        ("plain", &|line| after(line)),
        ("syslog", &|line| {
            format!("Feb  9 08:09:39 host kernel: {line}")
        }),
        ("quoted", &|line| format!("> {line}")),
        ("serial", &|line| format!("\x1b[33m{line}\x1b[0m\r")),
        ("callers", &|line| line.replacen("] ", "][   C3] ", 1)),
        ("kmsg", &|line| format!("4,77,5000250000,-;{}", after(line))),
        ("logcat", &|line| format!("W/KERNEL  (  123): <4>{line}")),
    ];
    for (form, change) in forms {
        let changed: String = log.lines().map(|line| change(line) + "\n").collect();
        assert_eq!(reason(changed), expected, "{form}");
    }
}

/// netconsole splits long messages, also within a number.
#[test]
fn parts_of_messages_are_joined() {
    let log = fs::read_to_string(folder().join("brief-7.0.log")).unwrap();
    let mut split = String::new();
    for (number, line) in log.lines().enumerate() {
        let message = line.split_once("] ").unwrap().1;
        let parts: Vec<&[u8]> = message.as_bytes().chunks(97).collect();
        for (index, part) in parts.iter().enumerate() {
            let part = std::str::from_utf8(part).unwrap();
            let place = match parts.len() {
                1 => String::new(),
                _ => format!(",ncfrag={}/{}", index * 97, message.len()),
            };
            split += &format!("4,{number},5000250000,-{place};{part}\n");
        }
    }
    let zones = |log: String| {
        let found = explain("log", std::io::Cursor::new(log.into_bytes()), false).unwrap();
        let document = serde_json::to_value(found.document()).unwrap();
        assert_eq!(document["reports"][0]["unread"], serde_json::json!([]));
        document["reports"][0]["zones"].clone()
    };
    assert_eq!(zones(split), zones(log));
}

/// Returns the reports of a log.
fn reports(log: &[u8]) -> Vec<Report> {
    let mut collector = Collector::default();
    let mut scanner = Scanner::new(log);
    let mut reports = Vec::new();
    loop {
        let line = if collector.wants_all() {
            scanner.line()
        } else {
            scanner.anchor(|_| ())
        };
        let Some(line) = line.unwrap() else { break };
        reports.extend(collector.line(line));
    }
    reports.extend(collector.end());
    reports
}

/// Returns the text of a mail, in which "=" ends a broken line and "=31" is the digit 1.
fn text_of_mail(log: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut rest = log;

    while let [first, after @ ..] = rest {
        rest = match after {
            [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] if *first == b'=' => after,
            [b'3', digit, after @ ..] if *first == b'=' && digit.is_ascii_digit() => {
                text.push(*digit);
                after
            }
            _ => {
                text.push(*first);
                after
            }
        };
    }
    text
}

/// Returns all numbers in a log, and those that it has if it is a mail.
fn numbers(log: &[u8]) -> HashSet<u64> {
    let mut numbers = numbers_of_lines(log);

    numbers.extend(numbers_of_lines(&text_of_mail(log)));
    numbers
}

/// Returns all numbers in lines. A line can be broken within a number.
fn numbers_of_lines(log: &[u8]) -> HashSet<u64> {
    let mut numbers = HashSet::new();

    for run in log.split(|byte| !byte.is_ascii_digit() && !b"\r\n".contains(byte)) {
        let parts: Vec<&[u8]> = run
            .split(|byte| !byte.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .collect();
        for first in 0..parts.len() {
            for last in first + 1..=parts.len().min(first + 4) {
                let digits = parts[first..last].concat();
                numbers.extend(std::str::from_utf8(&digits).unwrap().parse::<u64>());
            }
        }
    }
    numbers
}

/// Checks that each figure of the reports is a number of the log.
fn check(log: &[u8]) {
    let numbers = numbers(log);
    let lines = log.split(|byte| *byte == b'\n').count() as u64;
    let known = |what: &str, number: u64| {
        assert!(
            numbers.contains(&number),
            "{what} {number} is not in the log"
        );
    };
    for report in reports(log) {
        assert!((1..=lines).contains(&report.line));
        assert!((report.line..=lines).contains(&report.last_line));
        if let Some(order) = report.order {
            known("order", order.into());
        }
        if let Some(pid) = report.pid {
            known("pid", pid);
        }
        for usage in [
            report.oom.memory,
            report.oom.swap,
            report.oom.memsw,
            report.oom.kmem,
        ] {
            for number in usage.into_iter().flatten() {
                known("usage", number);
            }
        }
        for (_, pid, pages) in &report.oom.tasks {
            known("task", *pid);
            known("pages", *pages);
        }
        for unread in &report.unread {
            assert!(unread.line.is_none_or(|line| (1..=lines).contains(&line)));
        }
        let Some(memory) = &report.memory else {
            continue;
        };
        for number in memory.numbers() {
            known("figure", number);
        }
    }
    // Whatever was read, it can be told.
    let found = explain("log", std::io::Cursor::new(log.to_vec()), true).unwrap();
    found.text(true);
    serde_json::to_string(&found.document()).unwrap();
}

/// A mail can be broken within a number, too.
#[test]
fn numbers_in_mails_are_joined() {
    let name = "mail-6.9-quoted.log";
    let log = fs::read_to_string(folder().join(name)).unwrap();
    let broken = log.replacen("150*16=\nkB", "150*1=\n6kB", 1);
    assert_ne!(broken, log);
    check(broken.as_bytes());
    assert_eq!(
        answer(name, broken.into()),
        answer(name, log.clone().into())
    );
    // A line follows that begins with a digit, so that there is a number that no line has.
    let joined = log.replacen("150*16=\nkB", "150*16=\n0kB", 1);
    assert_ne!(joined, log);
    check(joined.as_bytes());
}

#[test]
fn figures_of_the_logs_are_in_the_logs() {
    for (_, log) in logs() {
        check(&log);
    }
}

/// A change to a log.
#[derive(Clone, Debug)]
enum Change {
    /// Removes bytes.
    Cut(prop::sample::Index, usize),
    /// Repeats bytes.
    Repeat(prop::sample::Index, usize),
    /// Writes other bytes.
    Write(prop::sample::Index, Vec<u8>),
    /// Removes everything after, or before, a place.
    End(prop::sample::Index),
    Begin(prop::sample::Index),
    /// Exchanges two lines.
    Swap(prop::sample::Index, prop::sample::Index),
    /// Repeats a line at another place.
    Copy(prop::sample::Index, prop::sample::Index),
    /// Mixes in another log, line by line.
    Mix(prop::sample::Index, u8),
    /// Breaks lines anew.
    Wrap(u8),
    /// Changes a bit.
    Flip(prop::sample::Index, u8),
    /// Makes a line very long.
    Long(prop::sample::Index, usize),
}

/// A change. With `more`, lines can be very long and bits can change.
fn change(more: bool) -> BoxedStrategy<Change> {
    let place = any::<prop::sample::Index>;
    let usual = prop_oneof![
        (place(), 1..200_usize).prop_map(|(at, count)| Change::Cut(at, count)),
        (place(), 1..200_usize).prop_map(|(at, count)| Change::Repeat(at, count)),
        (place(), prop::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(at, bytes)| Change::Write(at, bytes)),
        place().prop_map(Change::End),
        place().prop_map(Change::Begin),
        (place(), place()).prop_map(|(one, other)| Change::Swap(one, other)),
        (place(), place()).prop_map(|(one, other)| Change::Copy(one, other)),
        (place(), 1..9_u8).prop_map(|(log, run)| Change::Mix(log, run)),
        (5..200_u8).prop_map(Change::Wrap),
    ];
    if !more {
        return usual.boxed();
    }
    prop_oneof![
        9 => usual,
        1 => (place(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => (place(), 1..200_000_usize).prop_map(|(at, count)| Change::Long(at, count)),
    ]
    .boxed()
}

fn apply(log: &mut Vec<u8>, change: &Change, all: &[(String, Vec<u8>)]) {
    if log.is_empty() {
        return;
    }
    match change {
        Change::Cut(at, count) => {
            let at = at.index(log.len());
            log.drain(at..log.len().min(at + count));
        }
        Change::Repeat(at, count) => {
            let at = at.index(log.len());
            let part = log[at..log.len().min(at + count)].to_vec();
            log.splice(at..at, part);
        }
        Change::Write(at, bytes) => {
            let at = at.index(log.len());
            let end = log.len().min(at + bytes.len());
            log.splice(at..end, bytes.iter().copied());
        }
        Change::End(at) => log.truncate(at.index(log.len())),
        Change::Begin(at) => {
            log.drain(..at.index(log.len()));
        }
        Change::Swap(one, other) | Change::Copy(one, other) => {
            let mut lines: Vec<&[u8]> = log.split(|byte| *byte == b'\n').collect();
            let (one, other) = (one.index(lines.len()), other.index(lines.len()));
            if matches!(change, Change::Swap(..)) {
                lines.swap(one, other);
            } else {
                lines.insert(one, lines[other]);
            }
            *log = lines.join(&b'\n');
        }
        Change::Mix(other, run) => {
            let other = &all[other.index(all.len())].1;
            let mut second = other.split(|byte| *byte == b'\n');
            let mut lines = Vec::new();
            for (number, line) in log.split(|byte| *byte == b'\n').enumerate() {
                lines.push(line);
                if number % usize::from(*run) == 0 {
                    lines.extend(second.next());
                }
            }
            lines.extend(second);
            *log = lines.join(&b'\n');
        }
        Change::Flip(at, bit) => {
            let at = at.index(log.len());
            log[at] ^= 1 << bit;
        }
        Change::Long(at, count) => {
            let at = at.index(log.len());
            let byte = log[at];
            let bytes = if byte == b'\n' { b'x' } else { byte };
            log.splice(at..at, std::iter::repeat_n(bytes, *count));
        }
        Change::Wrap(width) => {
            let lines: Vec<&[u8]> = log
                .split(|byte| *byte == b'\n')
                .flat_map(|line| line.chunks(usize::from(*width)))
                .collect();
            *log = lines.join(&b'\n');
        }
    }
}

/// The most time for a MiB, also on a busy machine. Each log is read twice.
const SLOWEST: std::time::Duration = std::time::Duration::from_secs(10);
/// The most memory of the tests in KiB, most of which is for the changed logs.
const MOST_MEMORY: u64 = 256 << 10;

fn changed(cases: u32, more: bool) {
    let all = logs();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let changes = (
        any::<prop::sample::Index>(),
        prop::collection::vec(change(more), 0..6),
    );
    runner
        .run(&changes, |(log, changes)| {
            let mut log = all[log.index(all.len())].1.clone();
            for change in &changes {
                apply(&mut log, change, &all);
            }
            let start = std::time::Instant::now();
            check(&log);
            let time = start.elapsed();
            let most = SLOWEST * (1 + u32::try_from(log.len() >> 20).unwrap());
            assert!(time < most, "{time:?} for {} bytes", log.len());
            Ok(())
        })
        .unwrap();
}

#[test]
fn damaged_logs_are_survived() {
    changed(200, false);
}

/// Returns the largest memory of this process so far in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));

    numbers(line.unwrap().as_bytes())
        .into_iter()
        .next()
        .unwrap()
}

/// For as many seconds as `LABYRINTH_FUZZ_SECONDS` says, or 60. The time for each log and the memory
/// of all are bounded.
#[test]
#[ignore = "takes as long as one likes"]
fn damaged_logs_are_survived_for_long() {
    let seconds = std::env::var("LABYRINTH_FUZZ_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(60);
    let start = std::time::Instant::now();
    let mut cases = 0_u64;
    while start.elapsed().as_secs() < seconds {
        changed(500, true);
        cases += 500;
    }
    let peak = peak();
    println!("{cases} logs, at most {peak} KiB of memory");
    assert!(peak < MOST_MEMORY, "{peak} KiB");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(log in prop::collection::vec(any::<u8>(), 0..4096)) {
        check(&log);
    }

    #[test]
    fn any_words_are_survived(words in prop::collection::vec(prop::sample::select(vec![
        "Node", "0", "1", "DMA", "DMA:", "Normal", "Normal:", "free:", "free:12kB", "min:7kB", "lowmem_reserve[]:",
        "=", "(UME)", "1*4kB", "99999999999999999999*4kB", "18446744073709551615kB", "free:18446744073709551615kB",
        "Mem-Info:", "\n", "\n", "\n", "x: page allocation failure: order:0, mode:0x820(GFP_ATOMIC)", "order:63",
        "invoked oom-killer:", "gfp_mask=0xcc0(GFP_KERNEL),", "order=3", "Killed process 1 (a)", "present:1kB",
        "managed:18446744073709551615kB", "low:18446744073709551615kB", "SLUB: Unable to allocate memory on node -1",
        "cache: a, object size: 1", "node 0: slabs: 1, objs: 2, free: 3", "1 callbacks suppressed", "warn_alloc:",
        "active_anon:18446744073709551615", "free_cma:18446744073709551615kB", "18446744073709551615 pages RAM",
        "memory: usage 1kB, limit 2kB, failcnt 3", "x: page allocation failure: order:39, mode:0xcc0(GFP_KERNEL)",
        "boost:18446744073709551615kB", "hugepages_total=18446744073709551615 hugepages_size=18446744073709551615kB",
    ]), 0..120)) {
        check(words.join(" ").as_bytes());
    }
}
