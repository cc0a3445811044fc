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
    WHERE since < :until AND coalesce(until >= :from, TRUE) ORDER BY collector, peer_asn, since, reason";

/// Gives each row to `take`; of an incident also all of it, as JSON.
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
    if what == What::Blind {
        let mut statement = db.prepare(BLIND)?;
        let mut rows = statement.query(named_params! { ":from": from, ":until": until })?;
        while let Some(row) = rows.next()? {
            let [collector, peer, reason] = [field(row, 0)?, field(row, 1)?, field(row, 4)?];
            take(&[collector, peer, moment(row, 2)?, moment(row, 3)?, reason], None)?;
        }
        return Ok(());
    }
    let mut statement = db.prepare(match what {
        What::Incidents => INCIDENTS,
        What::Phases => PHASES,
        What::Points | What::Blind => POINTS,
    })?;
    let bounds = Bounds { from, until, since: second(choice.from), before: second(choice.until) };
    let mut each = |of: Of| match what {
        What::Incidents => of.incidents(&mut statement, &bounds, &mut take),
        What::Phases => of.phases(&mut statement, &bounds, &mut take),
        What::Points | What::Blind => of.points(&mut statement, &bounds, &mut take),
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
