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

    !refused && has_colours(&term()) && io::stdout().is_terminal()
}

/// Returns whether standard output is a terminal whose cursor can be moved.
pub fn is_screen() -> bool {
    !matches!(term().as_str(), "" | "dumb" | "unknown") && io::stdout().is_terminal()
}

/// Returns whether the text on the terminal can have characters beyond ASCII.
pub fn is_unicode() -> bool {
    // The first variable that is set decides, as in the C library.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(env::var_os)
        .find(|value| !value.is_empty())
        .unwrap_or_default();

    is_utf8(&locale.to_string_lossy()) && (!io::stdout().is_terminal() || shows_unicode(&term()))
}

/// Returns whether the terminal has an alternate screen, which leaves the normal one unchanged.
pub fn has_second_screen() -> bool {
    shows_unicode(&term())
}

/// Returns the name of the kind of terminal.
pub fn term() -> String {
    env::var_os("TERM")
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Terminals of the vt family have none.
fn has_colours(term: &str) -> bool {
    !matches!(term, "" | "dumb" | "unknown") && !term.starts_with("vt")
}

fn is_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();

    locale.contains("utf-8") || locale.contains("utf8")
}

/// Whether this kind of terminal is an emulator whose fonts have blocks of all heights. The console
/// of Linux has few characters, and nothing is known about a terminal on a serial line.
fn shows_unicode(term: &str) -> bool {
    const KINDS: [&str; 15] = [
        "xterm",
        "screen",
        "tmux",
        "rxvt-unicode",
        "alacritty",
        "foot",
        "kitty",
        "st",
        "wezterm",
        "konsole",
        "gnome",
        "vte",
        "ghostty",
        "contour",
        "iterm",
    ];
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(['-', '.']);

    KINDS
        .iter()
        .any(|kind| term.strip_prefix(kind).is_some_and(ends))
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
    use super::{has_colours, is_utf8, paint, shows_unicode, Style};

    #[test]
    fn plain_text_has_no_escapes() {
        assert_eq!(paint(false, Style::Bad, "full"), "full");
        assert_eq!(paint(true, Style::Good, "ok"), "\x1b[32mok\x1b[0m");
    }

    #[test]
    fn old_terminals_get_little() {
        for term in ["vt100", "vt220", "dumb", "linux", "", "ansi", "stranger"] {
            assert!(!shows_unicode(term), "{term}");
        }
        for term in [
            "xterm",
            "xterm-256color",
            "screen.xterm-new",
            "tmux-256color",
            "st",
        ] {
            assert!(shows_unicode(term) && has_colours(term), "{term}");
        }
        assert!(has_colours("linux") && !has_colours("vt100") && !has_colours("vt220"));
    }

    #[test]
    fn locales_say_their_encoding() {
        assert!(is_utf8("en_GB.UTF-8") && is_utf8("C.utf8"));
        assert!(!is_utf8("C") && !is_utf8("POSIX") && !is_utf8("de_DE.ISO-8859-1"));
    }
}
