//! What is wrong with a scenario, where, and what to do.

use std::fmt;

/// A scenario that cannot be used. Prints as `name:line: what; remedy`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioError {
    /// The scenario's name, most often that of its file.
    pub name: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.name)?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}; {}", self.what, self.remedy)
    }
}

impl std::error::Error for ScenarioError {}

/// Finds lines in a text.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    name: &'a str,
    text: &'a str,
    start: Option<usize>,
}

impl<'a> Place<'a> {
    pub(crate) fn whole(name: &'a str, text: &'a str) -> Self {
        Place { name, text, start: None }
    }

    /// The same text, at the begin of `span`.
    pub(crate) fn at(self, span: std::ops::Range<usize>) -> Self {
        // A document that was built and not read has empty spans.
        Place { start: (span.start < span.end).then_some(span.start), ..self }
    }

    pub(crate) fn error(self, what: impl Into<String>, remedy: impl Into<String>) -> ScenarioError {
        let before = self.start.and_then(|start| self.text.get(..start));
        let line = before.map(|before| before.matches('\n').count() + 1);
        ScenarioError { name: self.name.to_owned(), line, what: what.into(), remedy: remedy.into() }
    }
}
