// SPDX-License-Identifier: GPL-2.0

//! Recognizes keys in the bytes from a terminal. On a slow line, the bytes of a key can come one by
//! one.

/// The action of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// End.
    Quit,
    /// Freeze the screen, or continue.
    Pause,
    /// Reset the least and the peak values.
    Forget,
    /// Show the keys, or the numbers again.
    Help,
    /// Redraw the screen.
    Redraw,
    /// Select the context with this index.
    Select(usize),
    /// Select the next context.
    Next,
    /// Select the previous context.
    Previous,
}

/// Recognizes keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys(Within);

/// The state within an escape sequence.
#[derive(Clone, Copy, Debug, Default)]
enum Within {
    #[default]
    None,
    /// After an escape.
    Escape,
    /// After an escape and a bracket or an O.
    Sequence,
}

impl Keys {
    /// Takes a byte. Returns an action if the byte is the last one of a known key.
    pub fn take(&mut self, byte: u8) -> Option<Action> {
        match (std::mem::take(&mut self.0), byte) {
            (_, 0x1b) => self.0 = Within::Escape,
            (Within::Escape, b'[' | b'O') => self.0 = Within::Sequence,
            // Parameters, such as those of a key with shift.
            (Within::Sequence, b' '..=b'?') => self.0 = Within::Sequence,
            (Within::Sequence, b'A' | b'D') => return Some(Action::Previous),
            (Within::Sequence, b'B' | b'C') => return Some(Action::Next),
            (Within::Sequence, _) => {}
            (Within::None | Within::Escape, _) => return plain(byte),
        }
        None
    }
}

fn plain(byte: u8) -> Option<Action> {
    Some(match byte {
        // Ctrl-C and Ctrl-D, which raise no signals here.
        b'q' | b'Q' | 0x03 | 0x04 => Action::Quit,
        b'p' | b'P' | b' ' => Action::Pause,
        b'r' | b'R' => Action::Forget,
        b'?' | b'h' => Action::Help,
        0x0c => Action::Redraw,
        b'1'..=b'9' => Action::Select(usize::from(byte - b'1')),
        b'j' | b'\t' => Action::Next,
        b'k' => Action::Previous,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Action, Keys};

    fn actions(bytes: &[u8]) -> Vec<Action> {
        let mut keys = Keys::default();
        bytes.iter().filter_map(|&byte| keys.take(byte)).collect()
    }

    #[test]
    fn keys_are_known() {
        assert_eq!(actions(b"q\x03"), [Action::Quit, Action::Quit]);
        assert_eq!(
            actions(b"p r?"),
            [Action::Pause, Action::Pause, Action::Forget, Action::Help]
        );
        assert_eq!(actions(b"13x0"), [Action::Select(0), Action::Select(2)]);
        assert_eq!(actions(b"\x0c"), [Action::Redraw]);
    }

    #[test]
    fn arrows_are_sequences() {
        assert_eq!(actions(b"\x1b[A\x1bOB"), [Action::Previous, Action::Next]);
        assert_eq!(actions(b"\x1b[1;2A"), [Action::Previous]);
        // Page down, and an arrow after it.
        assert_eq!(actions(b"\x1b[6~\x1b[B"), [Action::Next]);
        // Letters within a sequence are no keys.
        assert_eq!(actions(b"\x1b[q\x1bOp"), []);
        assert_eq!(actions(b"\x1b\x1bq"), [Action::Quit]);
    }
}
