// SPDX-License-Identifier: GPL-2.0

//! Writes cells to a terminal, with control sequences that a VT100 knows. A serial line is slow, so
//! unchanged cells are not written again.

use ratatui::{
    backend::{Backend, WindowSize},
    buffer::Cell,
    layout::{Position, Size},
    style::{Color, Modifier},
};
use std::{
    io::{self, Write},
    os::fd::AsFd,
};

/// The size of a terminal that does not report it, as on a serial line.
const USUAL: Size = Size::new(80, 24);

/// A terminal for ratatui.
pub struct Vt<T> {
    terminal: T,
    /// The text that is not written yet.
    text: Vec<u8>,
    /// The position of the cursor, if it is known.
    cursor: Option<(u16, u16)>,
    style: Style,
}

/// The style in which the terminal shows the next characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Style {
    bold: bool,
    reversed: bool,
    colour: Option<u8>,
}

impl Style {
    fn of(cell: &Cell) -> Self {
        Self {
            bold: cell.modifier.contains(Modifier::BOLD),
            reversed: cell.modifier.contains(Modifier::REVERSED),
            colour: match cell.fg {
                Color::Red => Some(1),
                Color::Green => Some(2),
                Color::Yellow => Some(3),
                Color::Cyan => Some(6),
                _ => None,
            },
        }
    }

    /// Returns the sequence that sets this style, from any other.
    fn sequence(self) -> String {
        let mut text = "\x1b[0".to_owned();

        if self.bold {
            text.push_str(";1");
        }
        if self.reversed {
            text.push_str(";7");
        }
        if let Some(colour) = self.colour {
            text.push_str(&format!(";3{colour}"));
        }
        text.push('m');
        text
    }
}

impl<T: Write + AsFd> Vt<T> {
    /// Uses this terminal.
    pub fn new(terminal: T) -> Self {
        Self {
            terminal,
            text: Vec::new(),
            cursor: None,
            style: Style::default(),
        }
    }

    fn set_style(&mut self, style: Style) {
        if style != self.style {
            self.style = style;
            self.text.extend_from_slice(style.sequence().as_bytes());
        }
    }
}

impl<T: Write + AsFd> Backend for Vt<T> {
    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        for (x, y, cell) in content {
            if self.cursor != Some((x, y)) {
                self.set_cursor_position((x, y))?;
            }
            self.set_style(Style::of(cell));
            self.text.extend_from_slice(cell.symbol().as_bytes());
            // Terminals differ in what follows the last column, so set the cursor for each line.
            self.cursor = Some((x + 1, y));
        }
        // End the style, so that messages of the kernel on the same terminal do not have it.
        self.set_style(Style::default());
        Ok(())
    }

    // The cursor is hidden while the terminal is in use, see `Screen`.
    fn hide_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.map_or(Position::ORIGIN, Position::from))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();

        self.cursor = Some((x, y));
        write!(self.text, "\x1b[{};{}H", y + 1, x + 1)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.cursor = None;
        self.style = Style::default();
        self.text.extend_from_slice(b"\x1b[0m\x1b[2J");
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        let size = rustix::termios::tcgetwinsize(&self.terminal)?;

        Ok(if size.ws_col == 0 || size.ws_row == 0 {
            USUAL
        } else {
            Size::new(size.ws_col, size.ws_row)
        })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize {
            columns_rows: self.size()?,
            pixels: Size::ZERO,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = self.terminal.write_all(&self.text);

        self.text.clear();
        written.and_then(|()| self.terminal.flush())
    }
}

#[cfg(test)]
mod tests {
    use super::Vt;
    use ratatui::{
        backend::Backend,
        buffer::Cell,
        style::{Color, Style, Stylize},
    };
    use std::{
        fs::File,
        io::{Read, Seek, SeekFrom},
    };

    /// Returns the bytes that are written for these cells.
    fn written(cells: &[(u16, u16, Cell)]) -> String {
        let mut file = tempfile::tempfile().unwrap();
        let mut vt = Vt::<File>::new(file.try_clone().unwrap());
        vt.draw(cells.iter().map(|(x, y, cell)| (*x, *y, cell)))
            .unwrap();
        vt.flush().unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        text
    }

    fn cell(symbol: &'static str, style: Style) -> Cell {
        let mut cell = Cell::new(symbol);
        cell.set_style(style);
        cell
    }

    #[test]
    fn neighbours_need_no_sequence() {
        let plain = |symbol| cell(symbol, Style::new());
        let cells = [(3, 0, plain("a")), (4, 0, plain("b")), (0, 1, plain("c"))];
        assert_eq!(written(&cells), "\x1b[1;4Hab\x1b[2;1Hc");
    }

    #[test]
    fn styles_are_set_once_and_end() {
        let bad = Style::new().bold().fg(Color::Red);
        let cells = [
            (0, 0, cell("a", bad)),
            (1, 0, cell("b", bad)),
            (2, 0, cell("c", Style::new().reversed())),
        ];
        assert_eq!(written(&cells), "\x1b[1;1H\x1b[0;1;31mab\x1b[0;7mc\x1b[0m");
    }

    #[test]
    fn nothing_is_written_for_nothing() {
        assert_eq!(written(&[]), "");
    }
}
