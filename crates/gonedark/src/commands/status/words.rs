//! Times, lengths and counts as an operator reads them, in lines that fit.

use gonedark_route::Time;
use std::io::{self, Write};

/// Lines that are broken between words where they would be longer than the terminal is wide.
pub(super) struct Page<'a> {
    out: &'a mut dyn Write,
    columns: usize,
}

impl<'a> Page<'a> {
    pub(super) fn new(out: &'a mut dyn Write, columns: usize) -> Self {
        Page { out, columns }
    }

    /// A line that is moved in; what does not fit follows below, moved in by four more.
    pub(super) fn line(&mut self, indent: usize, text: &str) -> io::Result<()> {
        let mut line = format!("{:indent$}", "");
        let mut is_begun = false;
        for word in text.split(' ') {
            let width = line.chars().count() + usize::from(is_begun) + word.chars().count();
            if is_begun && width > self.columns {
                writeln!(self.out, "{}", line.trim_end())?;
                line = format!("{:1$}", "", indent + 4);
                is_begun = false;
            }
            if std::mem::replace(&mut is_begun, true) {
                line.push(' ');
            }
            // A feed or a router may name itself with anything.
            line.extend(word.chars().map(|character| if character.is_control() { '?' } else { character }));
        }
        writeln!(self.out, "{}", line.trim_end())
    }

    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out)?;
        self.line(0, text)
    }
}

/// To the second.
pub(super) fn time(time: Time) -> String {
    Time::from_seconds(time.seconds()).to_string()
}

/// `35 s`, `5 min`, `3 h 2 min`, `26 d 4 h`.
pub(super) fn span(micros: i64) -> String {
    let seconds = micros.max(0) / 1_000_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_hold_no_control_characters() {
        let mut out = Vec::new();
        let mut page = Page::new(&mut out, 20);
        page.line(2, "well, waiting for the next\u{1b}[2J file").expect("written");
        assert_eq!(String::from_utf8_lossy(&out), "  well, waiting for\n      the next?[2J\n      file\n");
    }

    #[test]
    fn lengths_have_two_units_at_most() {
        let of = |seconds: i64| span(seconds * 1_000_000);
        assert_eq!([of(35), of(301), of(10_920), of(2_260_800)], ["35 s", "5 min", "3 h 2 min", "26 d 4 h"]);
        assert_eq!(of(-5), "0 s", "clocks differ");
    }
}
