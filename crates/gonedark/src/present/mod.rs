//! What a run says, for people and for programs: one [`Case`] in, many forms out.
//!
//! Every form is a pure function of the case: no clock, no environment, no file. The same case gives the same bytes.
//!
//! | form | for whom | module |
//! |---|---|---|
//! | one plain sentence | everybody, first | [`sentence`] |
//! | text | a terminal | [`text`] |
//! | JSON, NDJSON, CSV | programs ([`docs/report-schema.md`]) | [`json`], [`csv`] |
//! | series as CSV or Parquet | programs | [`series`], `columns` |
//! | attacks as text, JSON, NDJSON | people and programs | [`traffic`], [`backscatter`] |
//! | picture as SVG or PNG | the press | [`graph`] |
//! | one self-contained page | people and the press | [`html`] |
//!
//! Nothing here speaks of cause or actor: routing alone does not tell them ([`words::NO_CAUSE`]).
//!
//! [`docs/report-schema.md`]: https://github.com/gonedark/gonedark/blob/main/docs/report-schema.md

pub mod backscatter;
pub mod blindness;
#[cfg(feature = "parquet")]
pub mod columns;
pub mod course;
pub mod csv;
pub mod evidence;
pub mod flapping;
pub mod graph;
pub mod html;
pub mod json;
pub mod ranking;
pub mod sentence;
pub mod series;
pub mod text;
pub mod times;
pub mod traffic;
pub mod words;

use gonedark_infer::entity::Entity;
use gonedark_infer::report::Report;
use gonedark_route::Time;
use traffic::TrafficCase;

/// All that the forms are made from.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// What the inference says.
    pub report: &'a Report,
    /// How it was come by.
    pub run: &'a RunInfo,
    /// What entities are called and which clock hangs on their walls.
    pub gazetteer: &'a dyn Gazetteer,
    /// What was told of traffic beside it.
    pub traffic: Option<TrafficCase<'a>>,
}

impl Case<'_> {
    /// The entity's name, or its code where it has none.
    pub fn name(&self, entity: &Entity) -> String {
        self.gazetteer.name(entity).unwrap_or_else(|| entity.code())
    }

    /// What limits country tables that are much older than the recordings.
    pub fn old_tables(&self) -> Option<String> {
        let newest = self.run.countries.iter().max_by_key(|table| &table.date)?;
        words::old_table(newest, self.report.window.1)
    }

    /// The name as a sentence begins: with a capital letter ("The Netherlands").
    pub fn capital_name(&self, entity: &Entity) -> String {
        let name = self.name(entity);
        let mut letters = name.chars();
        match letters.next() {
            Some(first) => first.to_uppercase().chain(letters).collect(),
            None => name,
        }
    }
}

/// Names and local time of entities.
pub trait Gazetteer {
    /// The name as it stands within a sentence ("North Korea", "the Netherlands"); `None` where there is none.
    fn name(&self, entity: &Entity) -> Option<String>;

    /// The clock of the entity's capital at that moment; `None` where no single place stands for the entity.
    fn local(&self, entity: &Entity, time: Time) -> Option<LocalTime>;
}

/// Knows no name and no place: stands in where nobody reads them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nameless;

impl Gazetteer for Nameless {
    fn name(&self, _: &Entity) -> Option<String> {
        None
    }

    fn local(&self, _: &Entity, _: Time) -> Option<LocalTime> {
        None
    }
}

/// What a clock on a wall differs from UTC, and where the wall stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalTime {
    /// Seconds east of UTC, in force at the moment asked for (daylight saving and changes of law included).
    pub offset_s: i32,
    /// The place as people say it: `Pyongyang`.
    pub place: String,
    /// The zone in the tz database: `Asia/Pyongyang`.
    pub zone: String,
}

/// How the report was come by: enough to run it again and to get the same bytes.
#[derive(Clone, Debug, Default)]
pub struct RunInfo {
    /// The program and its version.
    pub tool: Tool,
    /// The command line as it can be typed again, without the program's path; empty where there was none.
    pub command: String,
    /// Every threshold in force, in the order in which it is shown.
    pub parameters: Vec<Parameter>,
    /// The tables by which networks were given to countries.
    pub countries: Vec<CountryTable>,
    /// Every file read, in any order; the forms sort them by collector, first record and path.
    pub inputs: Vec<Input>,
    /// Where the recording is made up: the line that says so, shown before everything else.
    pub reconstruction: Option<String>,
}

/// The program.
#[derive(Clone, Debug, Default)]
pub struct Tool {
    /// `gonedark`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// One threshold or choice in force.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name in JSON, with the unit as its ending where it has one: `min_duration_s`.
    pub name: String,
    /// Its value.
    pub value: serde_json::Value,
    /// The unit in words; empty where it has none.
    pub unit: String,
    /// Where it comes from: a paper, an RFC, the command line, or "guess".
    pub source: String,
}

/// One table of delegations.
#[derive(Clone, Debug)]
pub struct CountryTable {
    /// File name, or the name of the table built in.
    pub file: String,
    /// The serial in its header.
    pub serial: String,
    /// Of its bytes, in lower-case hex.
    pub sha256: String,
    /// The day for which it speaks, `YYYY-MM-DD`.
    pub date: String,
}

/// What an MRT file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InputKind {
    /// A table.
    Rib,
    /// Updates.
    Updates,
}

impl InputKind {
    /// `rib` or `updates`, as in the JSON contract.
    pub const fn name(self) -> &'static str {
        match self {
            InputKind::Rib => "rib",
            InputKind::Updates => "updates",
        }
    }
}

/// One file read.
#[derive(Clone, Debug)]
pub struct Input {
    /// As it was named on the command line or found below a folder named there.
    pub path: String,
    /// Of the file as it lay there, in lower-case hex.
    pub sha256: String,
    /// The collector that recorded it.
    pub collector: String,
    /// A table or updates.
    pub kind: InputKind,
    /// The first record's time; `None` where no record could be read.
    pub first: Option<Time>,
    /// The last record's time.
    pub last: Option<Time>,
    /// Records read.
    pub records: u64,
    /// Records passed over.
    pub skipped: u64,
    /// What was wrong with it, one entry for each kind of damage.
    pub damage: Vec<Damage>,
}

/// One kind of damage in one file.
#[derive(Clone, Debug)]
pub struct Damage {
    /// Where it was met first: bytes into the decompressed stream, where that is known.
    pub offset: Option<u64>,
    /// What was expected and what was there.
    pub what: String,
    /// How often.
    pub count: u64,
}

impl RunInfo {
    /// The inputs by collector, first record, then path: the order in which every form gives them.
    pub fn sorted_inputs(&self) -> Vec<&Input> {
        let mut inputs: Vec<&Input> = self.inputs.iter().collect();
        inputs.sort_by(|a, b| (&a.collector, a.first, &a.path).cmp(&(&b.collector, b.first, &b.path)));
        inputs
    }
}
