// SPDX-License-Identifier: GPL-2.0

//! Decodes logs in raw mails.
//!
//! The encoding "quoted-printable" wraps long lines anywhere, with an equals sign at the end of the
//! line. It writes an equals sign of the text as `=3D`.

use super::scan::{Line, LONGEST};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// The length of wrapped lines. Lines in this encoding have at most 76 characters.
const BROKEN: std::ops::RangeInclusive<usize> = 70..=76;
/// The code of the equals sign.
static EQUALS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("=3D"));

/// Joins wrapped lines.
#[derive(Default)]
pub struct Mail {
    held: Option<Line>,
    /// Whether the file is known to have the encoding.
    encoded: bool,
}

impl Mail {
    /// Returns whether the rest of a line is missing.
    pub fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Takes a line. Returns the joined line, unless more parts follow.
    pub fn line(&mut self, line: Line) -> Option<Line> {
        let end = line.bytes.len() - usize::from(line.bytes.ends_with(b"\r"));
        let part = &line.bytes[..end];
        let ending = line.bytes.len() - end;
        let goes_on = BROKEN.contains(&part.len()) && part.ends_with(b"=") && !line.unfinished;
        let mut whole = match self.held.take() {
            Some(mut held) => {
                held.bytes.extend_from_slice(&line.bytes);
                held.cut |= line.cut;
                held.unfinished = line.unfinished;
                // It can also be where the parts meet.
                held.anchor = true;
                held
            }
            None => line,
        };
        if goes_on && whole.bytes.len() < LONGEST {
            whole.bytes.truncate(whole.bytes.len() - ending);
            whole.bytes.pop();
            self.held = Some(whole);
            return None;
        }
        self.encoded = self.encoded || EQUALS.find(&whole.bytes).is_some();
        if self.encoded {
            whole.bytes = decode(&whole.bytes);
            whole.anchor = true;
        }
        Some(whole)
    }

    /// Ends a file, and returns an incomplete line at its end.
    pub fn end(&mut self) -> Option<Line> {
        self.encoded = false;
        self.held.take()
    }
}

/// Returns the bytes with each code replaced by its character.
fn decode(bytes: &[u8]) -> Vec<u8> {
    let digit = |at: usize| match bytes.get(at) {
        Some(&byte @ (b'0'..=b'9' | b'A'..=b'F')) => char::from(byte).to_digit(16),
        _ => None,
    };
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;

    while at < bytes.len() {
        let code = digit(at + 1).zip(digit(at + 2));
        match code.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            Some(code) if bytes[at] == b'=' && code != b'\n' => {
                out.push(code);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Mail;
    use crate::explain::scan::Line;

    fn lines(mail: &mut Mail, texts: &[&str]) -> Vec<String> {
        let line = |text: &&str| Line {
            number: 1,
            bytes: text.as_bytes().to_vec(),
            cut: false,
            unfinished: false,
            anchor: false,
        };
        texts
            .iter()
            .filter_map(|text| mail.line(line(text)))
            .map(|line| String::from_utf8(line.bytes).unwrap())
            .collect()
    }

    #[test]
    fn broken_lines_are_joined() {
        let mut mail = Mail::default();
        let first = format!("{}high:1=", " ".repeat(65));
        let texts = [first.as_str(), "00kB order=3D0 17=2E5 =zz =3"];
        let expected = format!("{}high:100kB order=0 17.5 =zz =3", " ".repeat(65));
        assert_eq!(lines(&mut mail, &texts), [expected]);
        assert!(!mail.holds());
        assert_eq!(lines(&mut mail, &["a=2Eb"]), ["a.b"]);
        assert!(mail.end().is_none());
    }

    #[test]
    fn other_lines_stay() {
        let mut mail = Mail::default();
        let texts = ["order=10, pid=454", "Free swap  =", "x\r"];
        assert_eq!(lines(&mut mail, &texts), texts);
    }

    #[test]
    fn the_rest_can_be_missing() {
        let mut mail = Mail::default();
        let first = format!("{}free:1=\r", " ".repeat(66));
        assert_eq!(lines(&mut mail, &[&first]), [""; 0]);
        assert!(mail.holds());
        assert_eq!(mail.end().unwrap().bytes.len(), 72);
    }
}
