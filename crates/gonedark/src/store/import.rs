//! What a replay found, put into a store beside what was watched. Twice is the same as once.

use super::commit::signal_number;
use super::export::SIGNALS;
use super::{Store, StoreFault};
use crate::rows::heading;
use gonedark_route::{Family, Time};
use rusqlite::Transaction;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A report of `replay --format json`, as far as it is taken.
#[derive(Deserialize)]
struct Report<'a> {
    schema: u32,
    window: Window,
    #[serde(borrow)]
    incidents: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Window {
    until: String,
}

/// What of an incident has columns of its own.
#[derive(Deserialize)]
struct Incident {
    id: String,
    entity: Named,
    lifecycle: String,
    level: String,
    phases: Vec<Phase>,
}

#[derive(Deserialize)]
struct Named {
    kind: String,
    code: String,
}

#[derive(Deserialize)]
struct Phase {
    from: String,
}

/// The version of reports that is understood (docs/report-schema.md).
const SCHEMA: u32 = 1;

/// Why something was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportFault {
    /// It is not what it should be; whoever gave it knows its path.
    #[error("{0}")]
    Input(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

impl Store {
    /// Imports a report called `name`, whose SHA-256 is `digest`; gives the number of its incidents.
    ///
    /// # Errors
    /// Text that is no such report, or what the store says; then nothing of it was imported.
    pub fn import_report(&mut self, name: &str, digest: &str, text: &str) -> Result<usize, ImportFault> {
        let wrong = ImportFault::Input;
        let report: Report<'_> = serde_json::from_str(text).map_err(|error| {
            wrong(format!(
                "is no report of gonedark; give one that `gonedark replay --format json` wrote, and a CSV with --series \
                 ({error})"
            ))
        })?;
        if report.schema != SCHEMA {
            return Err(wrong(format!(
                "has schema {}, {SCHEMA} is known; use a newer gonedark",
                report.schema
            )));
        }
        let until = moment(&report.window.until).map_err(wrong)?;
        let mut rows = Vec::new();
        for body in &report.incidents {
            let incident: Incident =
                serde_json::from_str(body.get()).map_err(|error| wrong(format!("an incident: {error}")))?;
            let Some(first) = incident.phases.first() else {
                return Err(wrong(format!("incident {} has no phase", incident.id)));
            };
            rows.push((moment(&first.from).map_err(wrong)?, incident, compact(body.get())));
        }
        let told = |error| StoreFault::of(&self.path, error);
        let work = self.db.transaction().map_err(told)?;
        let put = || -> rusqlite::Result<()> {
            for (first, incident, body) in &rows {
                let entity = entity(&work, &incident.entity.kind, &incident.entity.code)?;
                let ended = incident.lifecycle == "ended";
                let row = (entity, first.micros(), &incident.id, ended, &incident.level, body);
                work.prepare_cached("INSERT OR REPLACE INTO incident VALUES (?, ?, ?, ?, ?, ?)")?
                    .execute(row)?;
            }
            stream(&work, name, "report", digest, Some(until))
        };
        put().map_err(told)?;
        work.commit().map_err(told)?;
        Ok(rows.len())
    }

    /// Imports the lines of a CSV of `replay --series` called `name`; gives their number.
    ///
    /// # Errors
    /// A line that is none of a series, or what the store says; then nothing of it was imported.
    pub fn import_series(
        &mut self,
        name: &str,
        lines: impl Iterator<Item = std::io::Result<String>>,
    ) -> Result<u64, ImportFault> {
        let told = |error| ImportFault::from(StoreFault::of(&self.path, error));
        let work = self.db.transaction().map_err(told)?;
        let (mut count, mut last) = (0, None);
        for (number, line) in lines.enumerate() {
            let wrong = |why: String| ImportFault::Input(format!("line {}: {why}", number + 1));
            let line = line.map_err(|error| wrong(error.to_string()))?;
            if number == 0 {
                if line != heading(super::export::What::Points.columns()) {
                    let why =
                        "is no series of gonedark; give one that `gonedark replay --series FILE.csv` wrote";
                    return Err(wrong(why.to_owned()));
                }
                continue;
            }
            let point = point(&line).map_err(wrong)?;
            let entity = entity(&work, point.kind, point.code).map_err(told)?;
            let row = (entity, point.signal, point.at.micros(), point.value);
            let put = work.prepare_cached("INSERT OR REPLACE INTO point VALUES (?, ?, ?, ?)");
            put.and_then(|mut put| put.execute(row)).map_err(told)?;
            last = last.max(Some(point.at));
            count += 1;
        }
        stream(&work, name, "series", &count.to_string(), last).map_err(told)?;
        work.commit().map_err(told)?;
        Ok(count)
    }
}

struct Point<'a> {
    at: Time,
    kind: &'a str,
    code: &'a str,
    signal: i64,
    value: Option<i64>,
}

/// No field of a series has a comma, so that none is quoted.
fn point(line: &str) -> Result<Point<'_>, String> {
    let fields: Vec<&str> = line.split(',').collect();
    let [at, kind, code, family, signal, value, missing] = fields[..] else {
        return Err(format!("{} fields, seven are expected", fields.len()));
    };
    let known = Family::ALL.into_iter().find(|known| known.name() == family);
    let known = known.zip(SIGNALS.into_iter().find(|known| known.name() == signal));
    let (family, signal) = known.ok_or_else(|| format!("there is no signal {family} {signal}"))?;
    let value = match missing {
        "true" => None,
        _ => Some(value.parse().map_err(|_| format!("{value:?} is no value"))?),
    };
    Ok(Point { at: moment(at)?, kind, code, signal: signal_number(family, signal), value })
}

pub(super) fn moment(text: &str) -> Result<Time, String> {
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    parsed.map(|at| Time::from_micros(at.as_microsecond())).map_err(|_| format!("{text:?} is no time"))
}

fn entity(work: &Transaction<'_>, kind: &str, code: &str) -> rusqlite::Result<i64> {
    let insert = "INSERT OR IGNORE INTO entity (kind, code) VALUES (?, ?)";
    work.prepare_cached(insert)?.execute((kind, code))?;
    let find = "SELECT id FROM entity WHERE (kind, code) = (?, ?)";
    work.prepare_cached(find)?.query_row((kind, code), |row| row.get(0))
}

/// Marks what was imported: a stream of the source `import`, which nobody waits for.
fn stream(
    work: &Transaction<'_>,
    name: &str,
    part: &str,
    position: &str,
    mark: Option<Time>,
) -> rusqlite::Result<()> {
    let put = "INSERT INTO stream (source, collector, part, position, mark, closed) VALUES ('import', ?, ?, ?, ?, 1)
               ON CONFLICT DO UPDATE SET position = excluded.position, mark = excluded.mark";
    work.execute(put, (name, part, position, mark.map(Time::micros))).map(drop)
}

/// JSON without the white space between its words.
fn compact(json: &str) -> String {
    let (mut within, mut escaped) = (false, false);
    let keep = |character: &char| {
        match (within, escaped, character) {
            (true, true, _) => escaped = false,
            (true, false, '\\') => escaped = true,
            (_, _, '"') => within = !within,
            _ => {}
        }
        within || !character.is_ascii_whitespace()
    };
    json.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_but_within_words() {
        assert_eq!(compact("{ \"a b\" : [ 1,\n \"\\\" \\\\\" , 2 ] }"), "{\"a b\":[1,\"\\\" \\\\\",2]}");
    }
}
