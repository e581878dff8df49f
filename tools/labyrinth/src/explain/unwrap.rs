// SPDX-License-Identifier: GPL-2.0

//! Joins lines that a terminal has broken.
//!
//! A serial console that is recorded from a terminal has lines of at most 80 characters, or of as
//! many as the terminal had columns. The rest of a longer line is in the next lines, without the
//! time that all other lines begin with.

use super::{
    prefix,
    scan::{Line, LONGEST},
};

/// The least width of a terminal. Mail programs break lines between words, at fewer columns.
const NARROWEST: usize = 79;

/// The longest prefixes in which the time is looked for.
const PREFIXES: usize = 256;

/// The usual width.
const USUAL: usize = 80;

/// Joins broken lines.
#[derive(Default)]
pub struct Unwrap {
    /// A line that may go on in the next one, and the length of its last part.
    held: Option<(Line, usize)>,
    /// The length of the longest line that went on in the next one.
    width: usize,
}

impl Unwrap {
    /// Returns whether the next line may be the rest of a line.
    pub fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Takes a line, and returns the lines that are complete. It is held only if it `matters`.
    pub fn line(&mut self, line: Line, matters: bool) -> [Option<Line>; 2] {
        let length = line.bytes.trim_ascii_end().len();
        let long = length >= NARROWEST && length + 1 >= self.width && !line.cut;
        let timed = (self.held.is_some() || long && matters) && is_timed(&line.bytes);
        let before = match self.held.take() {
            Some((mut held, part)) if !timed && goes_on(&line.bytes) => {
                let known = part == USUAL || part == self.width;
                self.width = self.width.max(part);
                join(&mut held.bytes, &line.bytes, known);
                held.unfinished = line.unfinished;
                // It can also be where the parts meet.
                held.anchor = true;
                if long && held.bytes.len() < LONGEST {
                    self.held = Some((held, length));
                    return [None, None];
                }
                return [Some(held), None];
            }
            Some((held, _)) => Some(held),
            None => None,
        };
        if long && timed && matters {
            self.held = Some((line, length));
            return [before, None];
        }
        match before {
            Some(before) => [Some(before), Some(line)],
            None => [Some(line), None],
        }
    }

    /// Ends a file, and returns the line that was held.
    pub fn end(&mut self) -> Option<Line> {
        self.width = 0;
        self.held.take().map(|(line, _)| line)
    }
}

/// Returns whether a line begins with a time.
fn is_timed(bytes: &[u8]) -> bool {
    if prefix::is_seconds(bytes) {
        return true;
    }
    // The time is in the prefixes, unless the whole line is an object.
    let most = if bytes.starts_with(b"{") {
        bytes.len()
    } else {
        PREFIXES
    };
    let text = prefix::strip(&bytes[..bytes.len().min(most)]);

    text.time.is_some() || text.seconds.is_some()
}

/// Returns whether a line without a time can be the rest of another one. Further lines of the same
/// message are indented.
fn goes_on(bytes: &[u8]) -> bool {
    let indented = bytes.starts_with(b"  ") || bytes.starts_with(b"\t");

    !indented && !bytes.trim_ascii().is_empty()
}

/// Appends the rest of a line. A space at the end of the first part can be lost, and so can be other
/// text if it is not `known` that the terminal has this width. Two parts of a number must not become
/// a wrong number then.
fn join(first: &mut Vec<u8>, rest: &[u8], known: bool) {
    while first.last() == Some(&b'\r') {
        first.pop();
    }
    let complete = ["kB", "KB", ")", ","].map(str::as_bytes);
    let word = |&byte: &u8| byte.is_ascii_alphanumeric() || byte == b'(';
    if rest.first().is_some_and(word) && complete.iter().any(|end| first.ends_with(end)) {
        first.push(b' ');
    }
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    if !known && digit(first.last()) && digit(rest.first()) {
        first.extend_from_slice(char::REPLACEMENT_CHARACTER.to_string().as_bytes());
    }
    first.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::Unwrap;
    use crate::explain::scan::Line;

    fn unwrapped(text: &str) -> Vec<String> {
        let mut unwrap = Unwrap::default();
        let mut lines = Vec::new();
        for text in text.lines() {
            let line = Line {
                number: 1,
                bytes: text.as_bytes().to_vec(),
                cut: false,
                unfinished: false,
                anchor: false,
            };
            lines.extend(unwrap.line(line, true).into_iter().flatten());
        }
        lines.extend(unwrap.end());
        lines
            .into_iter()
            .map(|line| String::from_utf8(line.bytes).unwrap())
            .collect()
    }

    fn wrapped(text: &str, width: usize) -> String {
        let mut out = String::new();
        for line in text.lines() {
            for part in line.as_bytes().chunks(width) {
                out += std::str::from_utf8(part).unwrap().trim_end();
                out.push('\n');
            }
        }
        out
    }

    #[test]
    fn a_line_is_joined_at_any_width() {
        let line = "[   12.345678] Node 0 Normal free:1234kB boost:0kB min:5678kB low:7890kB \
                    high:9012kB reserved_highatomic:0KB present:4567kB managed:1234kB (UME) free_cma:0kB";
        let other = format!("[   12.345677] {}", "x".repeat(200));
        let text = format!("{other}\n{line}\n[   12.345679] short\n");
        for width in 80..line.len() {
            let lines = [&other, line, "[   12.345679] short"];
            assert_eq!(unwrapped(&wrapped(&text, width)), lines, "{width}");
        }
    }

    #[test]
    fn a_number_is_not_guessed() {
        let line = format!("[   12.345678] {} free:1234", "x".repeat(80));
        let lines = unwrapped(&format!("{line}\n567kB"));
        assert_eq!(lines, [format!("{line}\u{fffd}567kB")]);
    }

    #[test]
    fn other_lines_stay() {
        let long = "x".repeat(100);
        for text in [
            // A message of several lines, other text, and text without any times.
            format!("[   12.345678] {long}\n  file:1\n[   12.345678] b"),
            "[   12.345678] short\nstarting a service".to_owned(),
            format!("{long}\ny\n{long}"),
        ] {
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(unwrapped(&text), lines);
        }
    }
}
