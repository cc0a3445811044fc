//! Rows of a table on their way out: `store` reads them, `present` and `commands` write them.

use gonedark_route::Time;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words.
    Text,
    /// A whole number.
    Number,
    /// A moment, in UTC.
    Moment,
    /// Yes or no.
    Truth,
}

/// A column: its name and what it holds, where it holds anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, of letters, digits and `_`.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

impl Column {
    /// One of the given name.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Column { name, kind }
    }
}

/// The columns of series as transitions: each value holds until the next of its signal.
pub const TRANSITIONS: [Column; 7] = [
    Column::new("time", Kind::Moment),
    Column::new("kind", Kind::Text),
    Column::new("code", Kind::Text),
    Column::new("family", Kind::Text),
    Column::new("signal", Kind::Text),
    Column::new("value", Kind::Number),
    Column::new("missing", Kind::Truth),
];

/// The names of columns, with commas between: the heading line of CSV.
pub fn heading(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name).collect::<Vec<_>>().join(",")
}

/// A field of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// Not there.
    Null,
    /// A number.
    Number(i64),
    /// Words.
    Text(String),
    /// A moment.
    Moment(Time),
    /// Yes or no.
    Truth(bool),
}
