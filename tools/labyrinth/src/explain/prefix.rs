// SPDX-License-Identifier: GPL-2.0

//! Removes what programs put before the text of the kernel, and colours.

use memchr::{memchr2, memchr2_iter};
use serde_json::Value;
use std::borrow::Cow;

/// The text of a line, and what its prefixes told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// The message of the kernel. It can have several lines.
    pub message: String,
    /// The time, as the log writes it.
    pub time: Option<String>,
    /// The seconds since boot.
    pub seconds: Option<f64>,
    /// Who printed the line: a thread as in `T123`, or a CPU as in `C1`.
    pub caller: Option<String>,
    /// Where this part of a message begins, and how long all of it is, if netconsole split it.
    pub fragment: Option<(usize, usize)>,
    /// Whether the message may have words that the line does not have.
    pub anchor: bool,
}

/// Removes the prefixes of a line.
pub fn strip(bytes: &[u8]) -> Text {
    // A crash of the machine leaves NUL bytes before the first line of the next boot.
    let start = bytes.iter().position(|&byte| byte != 0);
    let (line, changed) = clean(&bytes[start.unwrap_or(bytes.len())..]);
    let fresh = || Text {
        anchor: changed,
        ..Text::default()
    };
    let mut text = fresh();
    if let Some(part) = kmsg(&line, &mut text) {
        if text.fragment.is_some() {
            // Spaces at its ends belong to the message.
            text.message = part.to_owned();
            return text;
        }
        text = fresh();
    }
    let mut rest = line.trim_end();

    let json;
    if let Some(message) = json_message(rest, &mut text) {
        json = message;
        rest = &json;
        text.anchor = true;
    }
    // journalctl -o verbose indents the field.
    rest = rest.trim_start().strip_prefix("MESSAGE=").unwrap_or(rest);
    // Prefixes of several programs can follow each other.
    for _ in 0..12 {
        let before = rest.len();
        rest = step(rest, &mut text);
        if rest.len() == before {
            break;
        }
    }
    let message = unescape(rest);
    text.anchor |= matches!(message, Cow::Owned(_));
    text.message = message.into_owned();
    text
}

/// Returns whether a line begins with a time as the kernel prints it, as in "[   12.345678]".
pub fn is_seconds(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"[") else {
        return false;
    };
    let rest = rest.trim_ascii_start();
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(rest);
    let Some(rest) = rest[whole..].strip_prefix(b".") else {
        return false;
    };
    let part = digits(rest);
    whole > 0 && part > 0 && rest[part..].starts_with(b"]")
}

/// Returns text without colours, and whether that is other text. A carriage return within a line
/// separates two lines. What else was lost or removed leaves a mark, so that the digits on both sides
/// do not become one number.
fn clean(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    const MARK: char = char::REPLACEMENT_CHARACTER;
    // Most lines are plain. Without a branch for each byte, this takes no time.
    let plain = bytes
        .iter()
        .fold(true, |plain, byte| plain & (b' '..=b'~').contains(byte));
    if let (true, Ok(text)) = (plain, std::str::from_utf8(bytes)) {
        return (Cow::Borrowed(text), false);
    }
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.trim_end_matches('\r').chars().peekable();

    while let Some(c) = chars.next() {
        match c {
            '\x1b' => {
                if chars.next_if_eq(&'[').is_some() {
                    while chars
                        .next_if(|&c| c.is_ascii_digit() || ";:?<=> ".contains(c))
                        .is_some()
                    {}
                    // The letter that ends the sequence, unless the sequence was cut off.
                    chars.next_if(char::is_ascii_alphabetic);
                }
                let digit = |c: Option<&char>| c.is_some_and(char::is_ascii_digit);
                if digit(out.chars().next_back().as_ref()) && digit(chars.peek()) {
                    out.push(MARK);
                }
            }
            '\r' => out.push('\n'),
            '\t' => out.push(' '),
            c if c.is_control() && c != '\n' => out.push(MARK),
            c => out.push(c),
        }
    }
    (Cow::Owned(out), true)
}

/// Returns the message of a line of `journalctl -o json` and the like.
fn json_message(line: &str, text: &mut Text) -> Option<String> {
    if !line.starts_with('{') {
        return None;
    }
    let object: Value = serde_json::from_str(line).ok()?;
    if let Some(time) = object.get("__REALTIME_TIMESTAMP").and_then(Value::as_str) {
        text.time = time.parse().ok().map(utc);
    }
    if let Some(us) = object
        .get("_SOURCE_MONOTONIC_TIMESTAMP")
        .and_then(Value::as_str)
        .and_then(|us| us.parse::<f64>().ok())
    {
        text.seconds = Some(us / 1e6);
    }
    let keys = ["MESSAGE", "message", "msg", "log", "textPayload"];
    let find = |object: &Value| keys.iter().find_map(|key| object.get(key)).cloned();
    // Logs of cloud providers have the fields of the journal in another object.
    let message = find(&object).or_else(|| find(object.get("jsonPayload")?))?;
    match message {
        // JSON can spell the characters that were removed from the line.
        Value::String(message) => Some(clean(message.as_bytes()).0.trim_end().to_owned()),
        // Bytes that are not UTF-8.
        Value::Array(bytes) => {
            let bytes: Vec<u8> = bytes
                .iter()
                .map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok()))
                .collect::<Option<_>>()?;
            Some(clean(&bytes).0.trim_end().to_owned())
        }
        _ => None,
    }
}

/// Returns a time in microseconds since 1970 as a date.
fn utc(us: u64) -> String {
    let seconds = us / 1_000_000;
    let (days, seconds) = (seconds / 86_400, seconds % 86_400);
    // Years begin in March here, so that the day that some have more is the last one.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!(
        "{:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z",
        year + era * 400 + next,
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Removes one prefix, if there is any.
fn step<'a>(line: &'a str, text: &mut Text) -> &'a str {
    let rest = line.trim_start();

    // Prefixes of mails, where ">>> " is a nested quote, and of tables in issue trackers.
    if rest.starts_with('>') {
        let quoted = rest.trim_start_matches('>');
        return quoted.strip_prefix(' ').unwrap_or(quoted);
    }
    if let Some(rest) = rest.strip_prefix("| ") {
        return rest;
    }
    if let Some(after) = rest.strip_prefix('<') {
        if let Some((level, after)) = after.split_once('>') {
            if !level.is_empty() && level.len() <= 3 && all_digits(level) {
                return rfc5424(after, text).unwrap_or(after);
            }
        }
    }
    if let Some(after) = rest.strip_prefix('[') {
        if let Some((inside, after)) = after.split_once(']') {
            if bracket(inside, text) {
                // "[2026-02-09T08:09:39Z]: " and "[   12.345678@0]- ".
                let after = after.strip_prefix(':').unwrap_or(after);
                return after.strip_prefix('-').unwrap_or(after);
            }
        }
    }
    if let Some(after) = kmsg(rest, text) {
        return after;
    }
    if let Some(after) = vendor(rest, text) {
        return after;
    }
    if let Some(after) = decoded(rest) {
        return after;
    }
    let date = rest.as_bytes().first().is_some_and(u8::is_ascii_digit);
    if let Some((word, after)) = date.then(|| rest.split_once(' ')).flatten() {
        // The prefix of dmesg --time-format iso, and of log collectors for containers.
        if is_date(word) && word.contains('T') {
            text.time.get_or_insert_with(|| word.to_owned());
            return after;
        }
    }
    if let Some(after) = after_kernel(rest, text) {
        return after;
    }
    line
}

/// Removes "kern  :warn  : " of `dmesg --decode`, and "kern: warning: " of other programs.
fn decoded(line: &str) -> Option<&str> {
    if !line.starts_with(['k', 'u', 'd', 's']) {
        return None;
    }
    let (facility, rest) = line.split_once(':')?;
    let facility = facility.trim_end();
    if !["kern", "user", "daemon", "syslog"].contains(&facility) {
        return None;
    }
    let (level, rest) = rest.split_once(": ")?;
    let levels = [
        "emerg", "alert", "crit", "err", "error", "warn", "warning", "notice", "info", "debug",
    ];

    levels.contains(&level.trim()).then_some(rest)
}

/// Removes the prefixes of phone vendors: "(2)[123:kworker/2:1]" or "-(2)[…]"
/// with the CPU, "[pid:123,cpu0,kworker/0:1]", and "c2   123 " or "c2 ".
fn vendor<'a>(line: &'a str, text: &mut Text) -> Option<&'a str> {
    let caller = |text: &mut Text, pid: &str| {
        if !pid.is_empty() && all_digits(pid) {
            text.caller = Some(format!("T{pid}"));
        }
    };
    if let Some(after) = line.strip_prefix("[pid:") {
        let (inside, after) = after.split_once(']')?;
        let (pid, rest) = inside.split_once(",cpu")?;
        if !all_digits(pid) || !rest.as_bytes().first()?.is_ascii_digit() {
            return None;
        }
        // A message from an interrupt has the PID of the interrupted process.
        caller(text, pid);
        return Some(after);
    }
    if let Some(after) = line.trim_start_matches('-').strip_prefix('(') {
        let (cpu, after) = after.split_once(")[")?;
        let (inside, after) = after.split_once(']')?;
        let (pid, _) = inside.split_once(':')?;
        if cpu.is_empty() || !all_digits(cpu) || pid.is_empty() || !all_digits(pid) {
            return None;
        }
        caller(text, pid);
        return Some(after);
    }
    let (word, after) = line.strip_prefix('c')?.split_once(' ')?;
    if word.is_empty() || word.len() > 2 || !all_digits(word) || text.seconds.is_none() {
        return None;
    }
    let after = after.trim_start();
    match after.split_once(' ') {
        Some((pid, rest)) if !pid.is_empty() && all_digits(pid) => Some(rest),
        _ => Some(after),
    }
}

/// Returns whether a word is a date, a time or both, such as "2026-02-09T08:09:39.123Z".
fn is_date(word: &str) -> bool {
    let bytes = word.as_bytes();
    let digits = |at: usize, count: usize| {
        bytes
            .get(at..at + count)
            .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    let date = digits(0, 4) && is(4, b'-') && digits(5, 2) && is(7, b'-') && digits(8, 2);
    let clock = |at: usize| digits(at, 2) && is(at + 2, b':') && digits(at + 3, 2);

    match bytes.len() {
        5..=7 => clock(0),
        8..=9 => clock(0) && is(5, b':'),
        10 => date,
        16.. => date && (is(10, b'T') || is(10, b't')) && clock(11),
        _ => false,
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Removes "1 TIME HOST APP PROCID MSGID -", the header of RFC 5424 after its priority.
fn rfc5424<'a>(after: &'a str, text: &mut Text) -> Option<&'a str> {
    let mut rest = after.strip_prefix("1 ")?;
    for field in 0..5 {
        let (word, after) = rest.split_once(' ')?;
        if field == 0 {
            if !word.contains('T') && word != "-" {
                return None;
            }
            text.time.get_or_insert_with(|| word.to_owned());
        }
        rest = after;
    }
    if let Some(after) = rest.strip_prefix('-') {
        return Some(after);
    }
    rest.starts_with('[')
        .then(|| rest.split_once("] ").map(|(_, after)| after))?
}

/// Takes what was in brackets, if it is a time or says who printed the line.
fn bracket(inside: &str, text: &mut Text) -> bool {
    let word = inside.trim();
    let plain = word.trim_start_matches('+');

    if let Ok(seconds) = plain.parse::<f64>() {
        if plain.contains('.') {
            text.time.get_or_insert_with(|| ["[", inside, "]"].concat());
            if !word.starts_with('+') {
                text.seconds = Some(seconds);
            }
            return true;
        }
        return false;
    }
    if let Some(number) = word.strip_prefix(['T', 'C']) {
        if !number.is_empty() && all_digits(number) {
            text.caller = Some(word.to_owned());
            return true;
        }
        // "[Tue Oct 21 10:39:51 2014]" begins with T, too.
    }
    // Of `dmesg -T`.
    let words: Vec<&str> = word.split_whitespace().collect();
    if words.len() == 5 && words[3].matches(':').count() == 2 && all_digits(words[4]) {
        text.time.get_or_insert_with(|| word.to_owned());
        return true;
    }
    // "[2026-02-09T08:09:39Z]", "[2026-02-09 08:09:39]", "[2026:02:09 08:09:39]" and "[Feb09 08:09]".
    let day = |word: &str| {
        is_date(&word.replace(':', "-"))
            || word.len() == 5 && word[..3].bytes().all(|b| b.is_ascii_alphabetic())
    };
    if words.iter().all(|word| word.is_ascii())
        && match words[..] {
            [one] => one.len() > 10 && is_date(one),
            [first, second] => day(first) && is_date(second.split('.').next().unwrap_or("")),
            _ => false,
        }
    {
        text.time.get_or_insert_with(|| word.to_owned());
        return true;
    }
    // "[1234.567890 (CPU:0-pid:1:init)]", "[  12.345678, 0]", "[  12.345678@0]" and "[12.345678s]".
    let first = word.split([' ', ',', '@']).next().unwrap_or("");
    if first.contains('.') && first.len() > 4 {
        if let Ok(seconds) = first.trim_end_matches('s').parse::<f64>() {
            text.time.get_or_insert_with(|| format!("[{inside}]"));
            text.seconds = Some(seconds);
            return true;
        }
    }
    // "[1:  kworker/1:0:  123]", as some vendors of telephones have it.
    let fields: Vec<&str> = word.split(':').collect();
    fields.len() >= 3
        && all_digits(fields[0])
        && !fields[0].is_empty()
        && fields[0].len() <= 2
        && all_digits(fields[fields.len() - 1].trim())
        && word.contains(' ')
}

/// Removes "6,1234,5678901,-;" of /dev/kmsg.
fn kmsg<'a>(line: &'a str, text: &mut Text) -> Option<&'a str> {
    if !line.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let (head, after) = line.split_once(';')?;
    let mut fields = head.split(',');
    let level = fields.next()?;
    let sequence = fields.next()?;
    let us = fields.next()?;
    if ![level, sequence, us].iter().all(|field| all_digits(field)) || level.len() > 4 {
        return None;
    }
    let seconds = us.parse::<f64>().ok()? / 1e6;
    text.seconds = Some(seconds);
    text.time.get_or_insert_with(|| format!("[{seconds:.6}]"));
    for field in fields {
        if let Some(caller) = field.strip_prefix("caller=") {
            text.caller = Some(caller.to_owned());
        }
        if let Some((at, of)) = field
            .strip_prefix("ncfrag=")
            .and_then(|fragment| fragment.split_once('/'))
        {
            text.fragment = at.parse().ok().zip(of.parse().ok());
        }
    }
    Some(after)
}

/// Removes everything up to "kernel:" near the beginning, as syslog and Android write it.
fn after_kernel<'a>(line: &'a str, text: &mut Text) -> Option<&'a str> {
    let bytes = line.as_bytes();
    let near = &bytes[..bytes.len().min(160)];
    for at in memchr2_iter(b'k', b'K', near) {
        let from = at + 6;
        if !near
            .get(at..from)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"kernel"))
        {
            continue;
        }
        let before = at.checked_sub(1).map(|before| bytes[before]);
        if !matches!(before, None | Some(b' ' | b'/' | b'.')) {
            continue;
        }
        // "kernel:", "kernel[0]:", "kernel  : " and "KERNEL  (  123): ".
        let after = &line[from..];
        let name = after.trim_start();
        let rest = if let Some(inner) = name.strip_prefix('(') {
            inner.split_once(')').map(|(_, rest)| rest)
        } else if let Some(inner) = name.strip_prefix('[') {
            inner.split_once(']').map(|(_, rest)| rest)
        } else {
            Some(name)
        };
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix(':')) else {
            continue;
        };
        let time = time_of(&line[..at]);
        if text.time.is_none() && !time.is_empty() {
            text.time = Some(time);
        }
        return Some(rest);
    }
    None
}

/// Returns the time at the beginning of a line of a log, without the name of the machine.
fn time_of(head: &str) -> String {
    let words: Vec<&str> = head.split_whitespace().collect();
    let last = words.iter().position(|word| {
        word.matches(':').count() >= 2 && word.bytes().any(|b| b.is_ascii_digit())
    });
    match last {
        Some(last) => {
            // "Tue Mar 11 09:26:00 2025".
            let year = words
                .get(last + 1)
                .is_some_and(|word| word.len() == 4 && word.starts_with("20") && all_digits(word));
            words[..=last + usize::from(year)].join(" ")
        }
        None => String::new(),
    }
}

/// Turns the escapes of several programs for a line break into line breaks.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if memchr2(b'#', b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.replace("#012", "\n")
            .replace("#011", " ")
            .replace("\\x0a", "\n")
            .replace("\\n", "\n"),
    )
}

#[cfg(test)]
mod tests {
    use super::{is_seconds, strip, utc};

    #[test]
    fn prefixes_are_removed() {
        let text = "a b: page allocation failure: order:0";
        for prefix in [
            "",
            "[   12.345678] ",
            "[   12.345678][  T123] ",
            "[   12.345678] [    C1] ",
            "<4>[   12.345678] ",
            "<4>[   12.345678]  [0:      swapper/0:    0] ",
            "[  +0.002367] ",
            "[Tue Oct 21 10:39:51 2014] ",
            "Feb  9 08:09:39 nas kernel: ",
            "Feb  9 08:09:39 nas kernel: [   12.345678] ",
            "Feb 09 08:09:39.123456 nas kernel: ",
            "2026-02-09T08:09:39.123456+00:00 nas kernel: [   12.345678] ",
            "2026-02-09T08:09:39+0100 nas kernel: ",
            "<4>Feb  9 08:09:39 nas kernel: [   12.345678] ",
            "<4>1 2026-02-09T08:09:39.123Z nas kernel - - - [   12.345678] ",
            "<4>1 2026-02-09T08:09:39.123Z nas kernel - - [meta sequenceId=\"29\"] ",
            "Tue Mar 11 09:26:00 2025 kern.warn kernel: [331456.657971] ",
            "02-09 08:09:39.123     0     0 W kernel  : ",
            "I/KERNEL  (  123): [   12.345678] ",
            "W/kernel  (  123): <4>[   12.345678] ",
            "[21160.626351] nas kernel: ",
            "4,1234,12345678,-;",
            "4,1234,12345678,-,caller=T12;",
            "kern  :warn  : [   12.345678] ",
            "user  :info  : [   12.345678] ",
            "> [   12.345678] ",
            "> >>>> [   12.345678] ",
            ">> > [   12.345678] ",
            "[2026-02-09 08:09:39] [   12.345678] ",
            "[2026-02-09T08:09:39.123456+01:00] ",
            "[Feb09 08:09] ",
            "2026-02-09T08:09:39,123456+01:00 ",
            "2026-02-09T08:09:39.123456789Z [   12.345678] ",
            "kern: warning: [2026-02-09T08:09:39.123456789Z]: ",
            "<4>[   12.345678]  (2)[123:kworker/2:1]",
            "[   12.345678] -(0)[0:swapper/0]",
            "[   12.345678s][2026:02:09 08:09:39][pid:123,cpu0,kworker/0:1]",
            "[   12.345678s][pid:0,cpu1,in irq]",
            "[   12.345678@0] ",
            "[   12.345678@2]- ",
            "[   12.345678] c1    123 ",
            "<4>[   12.345678] c0 ",
            "    MESSAGE=",
            "\x1b[32m[   12.345678] \x1b[0m\x1b[33m",
            "MESSAGE=",
            "\0\0\0[   12.345678] ",
        ] {
            let stripped = strip(format!("{prefix}{text}\x1b[0m\r").as_bytes());
            assert_eq!(stripped.message.trim(), text, "{prefix:?}");
        }
    }

    #[test]
    fn times_and_callers_are_taken() {
        let text = strip(b"[   12.345678][  T123] x");
        assert_eq!(text.caller.as_deref(), Some("T123"));
        assert_eq!(text.seconds, Some(12.345678));
        let text = strip(b"2026-02-09T08:09:39+0100 nas kernel: x");
        assert_eq!(text.time.as_deref(), Some("2026-02-09T08:09:39+0100"));
        let text = strip(b"Tue Mar 11 09:26:00 2025 kern.warn kernel: [331456.657971] x");
        assert_eq!(text.time.as_deref(), Some("Tue Mar 11 09:26:00 2025"));
        assert_eq!(text.seconds, Some(331456.657971));
        assert_eq!(
            strip(b"4,7,5,-,ncfrag=300/420;x").fragment,
            Some((300, 420))
        );
        assert_eq!(
            strip(b"6,1,5000000,-,caller=C3;x").caller.as_deref(),
            Some("C3")
        );
    }

    #[test]
    fn the_time_of_the_kernel_is_known() {
        for line in ["[   12.345678] x", "[12.3][  T123] x"] {
            assert!(is_seconds(line.as_bytes()) && strip(line.as_bytes()).seconds.is_some());
        }
        for line in [
            "",
            "[",
            "[12] x",
            "[.5] x",
            "[12.] x",
            "[12.345678",
            "12.3] x",
            "[T12.3] x",
        ] {
            assert!(!is_seconds(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn json_and_escapes_are_read() {
        let line =
            br#"{"MESSAGE":"a\nb","_TRANSPORT":"kernel","_SOURCE_MONOTONIC_TIMESTAMP":"5000000"}"#;
        let text = strip(line);
        assert_eq!((text.message.as_str(), text.seconds), ("a\nb", Some(5.0)));
        assert_eq!(strip(br#"{"MESSAGE":[97,255,98]}"#).message, "a\u{fffd}b");
        let cloud = br#"{"insertId":"x","jsonPayload":{"message":"[    1.500000] a"}}"#;
        assert_eq!(strip(cloud).message.trim(), "a");
        let hostile = br#"{"MESSAGE":"\u001b]0;a\u0007b\u001b[2Jc\u009b1md"}"#;
        assert_eq!(strip(hostile).message, "]0;a\u{fffd}bc\u{fffd}1md");
        assert_eq!(strip(b"x kernel: a:0#012 b:0").message.trim(), "a:0\n b:0");
        assert_eq!(strip(b"{not json").message, "{not json");
    }

    #[test]
    fn dates_are_right() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_400_000_000), "2000-02-29T00:00:00Z");
        assert_eq!(utc(1_770_624_579_000_000), "2026-02-09T08:09:39Z");
        assert!(!utc(u64::MAX).is_empty());
    }

    #[test]
    fn text_of_the_kernel_stays() {
        for text in [
            "[ 1234]     0  1234     2238      512    61440       0    0 agetty",
            "c0 ffee",
            "(null)",
            "[<800dcc54>] warn_alloc+0xcc/0x15c",
            "user.slice: x: y",
            "Node 0 DMA: 1*4kB (U)",
        ] {
            assert_eq!(strip(text.as_bytes()).message, text);
        }
    }
}
