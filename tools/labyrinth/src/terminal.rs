// SPDX-License-Identifier: GPL-2.0

//! What the terminal can show.

use std::{
    env,
    io::{self, IsTerminal},
};

/// Returns whether standard output shows colours: a terminal that can, and no `NO_COLOR` with a
/// value in the environment (<https://no-color.org>).
pub fn colours() -> bool {
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");

    !refused && !dumb && io::stdout().is_terminal()
}

/// Emphasis of a text, on terminals that can.
#[derive(Clone, Copy, Debug)]
pub enum Style {
    /// A heading.
    Bold,
    /// Of less importance.
    Faint,
    /// All is well.
    Good,
    /// To be noticed.
    Warning,
    /// Something is wrong.
    Bad,
}

/// Returns the text in a style if `coloured`, and the text alone otherwise.
pub fn paint(coloured: bool, style: Style, text: &str) -> String {
    if !coloured {
        return text.to_owned();
    }
    let code = match style {
        Style::Bold => "1",
        Style::Faint => "2",
        Style::Good => "32",
        Style::Warning => "33",
        Style::Bad => "1;31",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

#[cfg(test)]
mod tests {
    use super::{paint, Style};

    #[test]
    fn plain_text_has_no_escapes() {
        assert_eq!(paint(false, Style::Bad, "full"), "full");
        assert_eq!(paint(true, Style::Good, "ok"), "\x1b[32mok\x1b[0m");
    }
}
