//! What a store holds, row by row, as it is at one moment: nothing is gathered, whatever its size.

use crate::rows::{Column, Field, Kind, TRANSITIONS};
use gonedark_infer::entity::Entity;
use gonedark_infer::report::Signal;
use gonedark_route::{Family, Time};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, Statement, named_params};

/// What can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Incidents, by entity and begin.
    Incidents,
    /// Signals as transitions, by entity, family, signal and time.
    Points,
    /// Who could not see, by collector, peer and time.
    Blind,
    /// Phases of incidents, by entity and time.
    Phases,
    /// Attacks, by begin.
    Attacks,
    /// Exporters that could not be heard, by source, exporter and time.
    Deaf,
}

/// Which rows.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Of these; of all where none is named.
    pub entities: Vec<Entity>,
    /// What holds or happened from here on.
    pub from: Time,
    /// What holds or happened before.
    pub until: Time,
}

impl What {
    /// The columns of each row.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            What::Incidents => &INCIDENT,
            What::Points => &TRANSITIONS,
            What::Blind => &BLINDNESS,
            What::Phases => &PHASE,
            What::Attacks => &ATTACK,
            What::Deaf => &DEAFNESS,
        }
    }
}

const INCIDENT: [Column; 17] = [
    Column::new("id", Kind::Text),
    Column::new("kind", Kind::Text),
    Column::new("code", Kind::Text),
    Column::new("name", Kind::Text),
    Column::new("lifecycle", Kind::Text),
    Column::new("level", Kind::Text),
    Column::new("begin", Kind::Moment),
    Column::new("onset_earliest", Kind::Moment),
    Column::new("onset_latest", Kind::Moment),
    Column::new("onset_vote", Kind::Moment),
    Column::new("recovery_earliest", Kind::Moment),
    Column::new("recovery_latest", Kind::Moment),
    Column::new("recovery_vote", Kind::Moment),
    Column::new("duration_min_s", Kind::Number),
    Column::new("duration_max_s", Kind::Number),
    Column::new("witnesses", Kind::Number),
    Column::new("agreeing", Kind::Number),
];
const BLINDNESS: [Column; 5] = [
    Column::new("collector", Kind::Text),
    Column::new("peer_asn", Kind::Number),
    Column::new("since", Kind::Moment),
    Column::new("until", Kind::Moment),
    Column::new("reason", Kind::Text),
];
const ATTACK: [Column; 13] = [
    Column::new("id", Kind::Text),
    Column::new("source", Kind::Text),
    Column::new("kind", Kind::Text),
    Column::new("target", Kind::Text),
    Column::new("start_earliest", Kind::Moment),
    Column::new("start_latest", Kind::Moment),
    Column::new("detected", Kind::Moment),
    Column::new("stop_earliest", Kind::Moment),
    Column::new("stop_latest", Kind::Moment),
    Column::new("peak_pps", Kind::Number),
    Column::new("peak_bps", Kind::Number),
    Column::new("vector", Kind::Text),
    Column::new("part_of", Kind::Text),
];
const DEAFNESS: [Column; 6] = [
    Column::new("source", Kind::Text),
    Column::new("exporter", Kind::Text),
    Column::new("since", Kind::Moment),
    Column::new("until", Kind::Moment),
    Column::new("reason", Kind::Text),
    Column::new("lost", Kind::Number),
];
const PHASE: [Column; 8] = [
    Column::new("incident", Kind::Text),
    Column::new("kind", Kind::Text),
    Column::new("code", Kind::Text),
    Column::new("number", Kind::Number),
    Column::new("state", Kind::Text),
    Column::new("since", Kind::Moment),
    Column::new("until", Kind::Moment),
    Column::new("flaps", Kind::Number),
];

/// An incident's times are compared to the second: some stamps have a fraction, and text sorts it wrong.
const INCIDENTS: &str = "SELECT i.id, i.body ->> '$.entity.name', i.body ->> '$.lifecycle', i.level, i.first,
        i.body ->> '$.onset.earliest', i.body ->> '$.onset.latest', i.body ->> '$.onset.vote',
        i.body ->> '$.recovery.earliest', i.body ->> '$.recovery.latest', i.body ->> '$.recovery.vote',
        i.body ->> '$.duration_s.min', i.body ->> '$.duration_s.max', i.body ->> '$.witnesses.asns',
        i.body ->> '$.witnesses.agreeing', i.body
    FROM incident i WHERE entity = :entity AND first < :until
        AND coalesce(substr(i.body ->> '$.phases[#-1].until', 1, 19) >= :since, TRUE) ORDER BY first";
/// See [`INCIDENTS`].
const PHASES: &str =
    "SELECT i.id, p.key, p.value ->> 'state', p.value ->> 'from', p.value ->> 'until', p.value ->> 'flaps'
    FROM incident i, json_each(i.body, '$.phases') p WHERE i.entity = :entity AND i.first < :until
        AND substr(p.value ->> 'from', 1, 19) < :before
        AND coalesce(substr(p.value ->> 'until', 1, 19) >= :since, TRUE) ORDER BY i.first, p.key";
/// With the value that holds at the begin.
const POINTS: &str = "SELECT at, value FROM point WHERE entity = :entity AND signal = :signal AND at < :until
        AND at >= coalesce((SELECT max(at) FROM point WHERE entity = :entity AND signal = :signal AND at <= :from), :from)
    ORDER BY at";
/// Of nobody in particular.
const BLIND: &str = "SELECT collector, nullif(peer_asn, 0), since, until, reason FROM blind
    WHERE since < :until AND coalesce(until >= :from, TRUE) AND :entity IS NULL ORDER BY collector, peer_asn, since, reason";

/// Of all, or of those on an entity.
const ATTACKS: &str = "SELECT id, source, kind, target, start, start_latest, detected, stop, stop_latest,
        body ->> '$.impact.peak.pps', body ->> '$.impact.peak.bps', body ->> '$.vectors[0].name', part_of, body
    FROM attack a WHERE start < :until AND coalesce(stop_latest >= :from, TRUE)
        AND (:entity IS NULL OR EXISTS (
            SELECT 1 FROM attacked t WHERE t.entity = :entity AND t.source = a.source AND t.attack = a.id))
    ORDER BY start, id";
/// Of nobody in particular.
const DEAF: &str = "SELECT source, nullif(exporter, ''), since, until, reason, lost FROM deaf
    WHERE since < :until AND until >= :from AND :entity IS NULL ORDER BY source, exporter, since, reason";

/// Gives each row to `take`; of an incident and an attack also all of it, as JSON.
///
/// # Errors
/// What SQLite says, or `take`.
pub fn export<E: From<rusqlite::Error>>(
    db: &Connection,
    what: What,
    choice: &Choice,
    mut take: impl FnMut(&[Field], Option<&str>) -> Result<(), E>,
) -> Result<(), E> {
    // One transaction: the writer goes on meanwhile, and nothing of it is seen.
    let db = &*db.unchecked_transaction()?;
    let (from, until) = (choice.from.micros(), choice.until.micros());
    let mut statement = db.prepare(match what {
        What::Incidents => INCIDENTS,
        What::Phases => PHASES,
        What::Points => POINTS,
        What::Blind => BLIND,
        What::Attacks => ATTACKS,
        What::Deaf => DEAF,
    })?;
    let whole = |statement: &mut Statement<'_>, entity: Option<i64>, take: &mut _| {
        whole_rows(statement, (from, until, entity), what, take)
    };
    // What is of nobody in particular is not gone through entity by entity.
    if choice.entities.is_empty() && matches!(what, What::Blind | What::Attacks | What::Deaf) {
        return whole(&mut statement, None, &mut take);
    }
    let bounds = Bounds { from, until, since: second(choice.from), before: second(choice.until) };
    let mut each = |of: Of| match what {
        What::Incidents => of.incidents(&mut statement, &bounds, &mut take),
        What::Phases => of.phases(&mut statement, &bounds, &mut take),
        What::Points => of.points(&mut statement, &bounds, &mut take),
        What::Blind | What::Attacks | What::Deaf => whole(&mut statement, Some(of.id), &mut take),
    };
    if choice.entities.is_empty() {
        let mut all = db.prepare("SELECT id, kind, code FROM entity ORDER BY kind, code")?;
        let mut entities = all.query([])?;
        while let Some(row) = entities.next()? {
            each(Of::read(row)?)?;
        }
        return Ok(());
    }
    let mut named: Vec<_> = choice.entities.iter().map(|entity| (entity.kind(), entity.code())).collect();
    named.sort_unstable();
    named.dedup();
    for (kind, code) in named {
        let find = "SELECT id, kind, code FROM entity WHERE (kind, code) = (?, ?)";
        if let Some(of) = db.query_row(find, (kind, code), Of::read).optional()? {
            each(of)?;
        }
    }
    Ok(())
}

/// Rows that are as they stand in the table, with a text of all of it where there is one more column than is told.
fn whole_rows<E: From<rusqlite::Error>>(
    statement: &mut Statement<'_>,
    (from, until, entity): (i64, i64, Option<i64>),
    what: What,
    take: &mut impl FnMut(&[Field], Option<&str>) -> Result<(), E>,
) -> Result<(), E> {
    let columns = what.columns();
    let has_body = statement.column_count() > columns.len();
    let mut rows = statement.query(named_params! { ":from": from, ":until": until, ":entity": entity })?;
    while let Some(row) = rows.next()? {
        let fields = columns.iter().enumerate().map(|(place, column)| match column.kind {
            Kind::Moment => moment(row, place),
            _ => field(row, place),
        });
        let fields = fields.collect::<rusqlite::Result<Vec<Field>>>()?;
        let body: Option<String> = if has_body { Some(row.get(columns.len())?) } else { None };
        take(&fields, body.as_deref())?;
    }
    Ok(())
}

/// Where rows begin and end: in numbers, and as text to the second.
struct Bounds {
    from: i64,
    until: i64,
    since: String,
    before: String,
}

/// An entity of the store.
struct Of {
    id: i64,
    kind: String,
    code: String,
}

impl Of {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Of { id: row.get(0)?, kind: row.get(1)?, code: row.get(2)? })
    }

    fn names(&self) -> [Field; 2] {
        [Field::Text(self.kind.clone()), Field::Text(self.code.clone())]
    }

    fn incidents<E: From<rusqlite::Error>>(
        &self,
        statement: &mut Statement<'_>,
        bounds: &Bounds,
        take: &mut impl FnMut(&[Field], Option<&str>) -> Result<(), E>,
    ) -> Result<(), E> {
        let chosen = named_params! { ":entity": self.id, ":until": bounds.until, ":since": bounds.since };
        let mut rows = statement.query(chosen)?;
        while let Some(row) = rows.next()? {
            let mut fields = vec![field(row, 0)?];
            fields.extend(self.names());
            fields.extend([field(row, 1)?, field(row, 2)?, field(row, 3)?, moment(row, 4)?]);
            for place in 5..15 {
                fields.push(told(row, place, INCIDENT[place + 2].kind)?);
            }
            let body: String = row.get(15)?;
            take(&fields, Some(&body))?;
        }
        Ok(())
    }

    fn phases<E: From<rusqlite::Error>>(
        &self,
        statement: &mut Statement<'_>,
        bounds: &Bounds,
        take: &mut impl FnMut(&[Field], Option<&str>) -> Result<(), E>,
    ) -> Result<(), E> {
        let chosen = named_params! {
            ":entity": self.id, ":until": bounds.until, ":since": bounds.since, ":before": bounds.before
        };
        let mut rows = statement.query(chosen)?;
        while let Some(row) = rows.next()? {
            let mut fields = vec![field(row, 0)?];
            fields.extend(self.names());
            for place in 1..6 {
                fields.push(told(row, place, PHASE[place + 2].kind)?);
            }
            take(&fields, None)?;
        }
        Ok(())
    }

    fn points<E: From<rusqlite::Error>>(
        &self,
        statement: &mut Statement<'_>,
        bounds: &Bounds,
        take: &mut impl FnMut(&[Field], Option<&str>) -> Result<(), E>,
    ) -> Result<(), E> {
        let [kind, code] = self.names();
        for (family, signal) in
            Family::ALL.into_iter().flat_map(|family| SIGNALS.map(|signal| (family, signal)))
        {
            let number = super::commit::signal_number(family, signal);
            let chosen = named_params! {
                ":entity": self.id, ":signal": number, ":from": bounds.from, ":until": bounds.until
            };
            let [family, signal] = [family.name(), signal.name()].map(|name| Field::Text(name.to_owned()));
            let mut rows = statement.query(chosen)?;
            while let Some(row) = rows.next()? {
                let value = field(row, 1)?;
                let missing = Field::Truth(value == Field::Null);
                let (at, kind, code) = (moment(row, 0)?, kind.clone(), code.clone());
                take(&[at, kind, code, family.clone(), signal.clone(), value, missing], None)?;
            }
        }
        Ok(())
    }
}

/// Every signal, in the order of the table.
pub(super) const SIGNALS: [Signal; 4] =
    [Signal::NetworksUp, Signal::NetworksLost, Signal::AddressesLost, Signal::VotersSighted];

fn field(row: &Row<'_>, place: usize) -> rusqlite::Result<Field> {
    Ok(match row.get_ref(place)? {
        ValueRef::Integer(number) => Field::Number(number),
        ValueRef::Text(text) => Field::Text(String::from_utf8_lossy(text).into_owned()),
        _ => Field::Null,
    })
}

/// A value out of an incident's JSON, where moments are text.
fn told(row: &Row<'_>, place: usize, kind: Kind) -> rusqlite::Result<Field> {
    Ok(match (field(row, place)?, kind) {
        (Field::Text(text), Kind::Moment) => {
            super::import::moment(&text).map_or(Field::Text(text), Field::Moment)
        }
        (field, _) => field,
    })
}

fn moment(row: &Row<'_>, place: usize) -> rusqlite::Result<Field> {
    let micros: Option<i64> = row.get(place)?;
    Ok(micros.map_or(Field::Null, |micros| Field::Moment(Time::from_micros(micros))))
}

/// `2014-12-22T16:15:00`; the ends of all time sort before and behind every text.
fn second(time: Time) -> String {
    match time {
        Time::MIN => String::new(),
        Time::MAX => "9".to_owned(),
        time => Time::from_seconds(time.seconds()).to_string().trim_end_matches('Z').to_owned(),
    }
}
