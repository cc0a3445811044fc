//! Lines, headings and tables of plain text.

use super::Style;
use gonedark_infer::report::PhaseState;
use std::io::{self, Write};

const BOLD: &str = "\x1b[1m";
const RESET: &str = "\x1b[0m";

/// The escape sequence of a state; the word and the sign beside it say the same.
const fn escape(state: PhaseState) -> &'static str {
    match state {
        PhaseState::Dark => "\x1b[1;31m",
        PhaseState::Severe => "\x1b[31m",
        PhaseState::Partial | PhaseState::Unstable => "\x1b[33m",
        PhaseState::Recovering => "\x1b[32m",
        PhaseState::Unknown => "\x1b[2m",
    }
}

/// In bold where colour may be.
pub(super) fn bold(text: &str, style: Style) -> String {
    if style.colour { format!("{BOLD}{text}{RESET}") } else { text.to_owned() }
}

/// In the colour of a state where colour may be.
pub(super) fn coloured(text: &str, state: PhaseState, style: Style) -> String {
    if style.colour { format!("{}{text}{RESET}", escape(state)) } else { text.to_owned() }
}

/// A heading over what follows.
pub(super) fn heading(out: &mut dyn Write, text: &str, style: Style) -> io::Result<()> {
    writeln!(out, "{}", bold(text, style))
}

/// Columns that a text takes: its letters, escape sequences not counted.
pub(super) fn columns(text: &str) -> usize {
    let mut count = 0;
    let mut escaped = false;
    for letter in text.chars() {
        match (escaped, letter) {
            (false, '\x1b') => escaped = true,
            (false, _) => count += 1,
            (true, 'm') => escaped = false,
            (true, _) => {}
        }
    }
    count
}

/// Text wrapped between words; a word that is longer than a line stands on its own.
pub(super) fn wrapped(
    out: &mut dyn Write,
    text: &str,
    width: usize,
    first: &str,
    other: &str,
) -> io::Result<()> {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split(' ') {
        if !empty && columns(&line) + 1 + columns(word) > width {
            writeln!(out, "{line}")?;
            line = other.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    writeln!(out, "{line}")
}

/// On which side a column's texts stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// A column: its heading and side.
pub(super) struct Column(pub(super) &'static str, pub(super) Side);

/// A table of texts; rows may carry a state that colours their first cell.
pub(super) struct Table {
    heads: Vec<(String, Side)>,
    rows: Vec<(Option<PhaseState>, Vec<String>)>,
}

impl Table {
    pub(super) fn new(columns: &[Column]) -> Self {
        Table {
            heads: columns.iter().map(|Column(head, side)| ((*head).to_owned(), *side)).collect(),
            rows: Vec::new(),
        }
    }

    /// Another column heading for one whose name is only known now.
    pub(super) fn rename(&mut self, column: usize, head: String) {
        if let Some(place) = self.heads.get_mut(column) {
            place.0 = head;
        }
    }

    pub(super) fn row(&mut self, state: Option<PhaseState>, cells: Vec<String>) {
        self.rows.push((state, cells));
    }

    /// Columns that hold nothing at all are left out; cells of the last column are cut at the width.
    pub(super) fn write(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let used: Vec<usize> = (0..self.heads.len())
            .filter(|&column| self.rows.iter().any(|(_, cells)| !cell(cells, column).is_empty()))
            .collect();
        let widths: Vec<usize> = used
            .iter()
            .map(|&column| {
                let head = self.heads.get(column).map_or(0, |head| columns(&head.0));
                self.rows.iter().map(|(_, cells)| columns(cell(cells, column))).fold(head, usize::max)
            })
            .collect();
        let heads: Vec<String> = self.heads.iter().map(|head| head.0.clone()).collect();
        self.line(out, None, &heads, &used, &widths, style)?;
        for (state, cells) in &self.rows {
            self.line(out, *state, cells, &used, &widths, style)?;
        }
        Ok(())
    }

    fn line(
        &self,
        out: &mut dyn Write,
        state: Option<PhaseState>,
        cells: &[String],
        used: &[usize],
        widths: &[usize],
        style: Style,
    ) -> io::Result<()> {
        let mut line = String::from(" ");
        for (place, (&column, &width)) in used.iter().zip(widths).enumerate() {
            let text = cell(cells, column);
            let pad = " ".repeat(width.saturating_sub(columns(text)));
            let text = match state {
                Some(state) if place == 0 => coloured(text, state, style),
                _ => text.to_owned(),
            };
            let padded = match self.heads.get(column) {
                Some((_, Side::Right)) => format!("{pad}{text}"),
                _ => format!("{text}{pad}"),
            };
            line.push_str(if place == 0 { " " } else { "  " });
            line.push_str(&padded);
        }
        writeln!(out, "{}", cut(line.trim_end(), style))
    }
}

fn cell(cells: &[String], column: usize) -> &str {
    cells.get(column).map_or("", String::as_str)
}

/// Cut to the terminal's width, so that no row of a table breaks.
fn cut(line: &str, style: Style) -> String {
    let width = style.columns();
    if columns(line) <= width {
        return line.to_owned();
    }
    // Escape sequences stand only at the first cell, far left of any cut.
    let escapes = line.chars().count() - columns(line);
    let kept: String = line.chars().take(escapes + width - 1).collect();
    format!("{}…", kept.trim_end())
}
