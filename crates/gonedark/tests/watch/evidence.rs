//! Which attacks a store tells beside an incident is what the inference says.

use gonedark::source::parcel::{AttackTold, Tidings};
use gonedark::store::Store;
use gonedark_infer::entity::{CountryCode, Entity};
use gonedark_infer::report::Interval;
use gonedark_infer::traffic::evidence::{IncidentSpan, evidence};
use gonedark_infer::traffic::kind::Misuse;
use gonedark_infer::traffic::report::{
    AlertType, Attack, Coverage, Direction, Estimate, Impact, Severity, Target, Unit,
};
use gonedark_route::Time;
use proptest::prelude::*;
use rusqlite::Connection;
use std::collections::BTreeSet;

/// 22 December 2014, 16:15 UTC.
const ONSET: i64 = 1_419_264_900_000_000;
/// Five days, as the parameters have it and the view.
const PRECEDES: i64 = 432_000_000_000;
/// What a view may round: a millisecond.
const MILLI: i64 = 1_000;

fn country(code: &str) -> Entity {
    Entity::Country(CountryCode::new(code).expect("a code"))
}

fn interval(earliest: i64, width: i64) -> Interval {
    let at = |micros: i64| Time::from_micros(ONSET + micros);
    Interval { earliest: at(earliest), latest: at(earliest + width) }
}

fn attack(number: usize, entity: Entity, start: Interval, stop: Option<Interval>, is_part: bool) -> Attack {
    let (unit, misuse) = (Unit::Packets, Misuse::SynFlood);
    Attack {
        id: format!("attack-{number}"),
        alert_type: AlertType::Host,
        target: Target::Host("175.45.176.8".parse().expect("an address")),
        entities: vec![entity],
        family: None,
        direction: Direction::Inbound,
        start,
        detected: start.latest,
        stop,
        is_fast: false,
        impact: Impact::default(),
        severity: Severity { percent: 100, threshold: 1, unit, misuse },
        misuses: Vec::new(),
        vectors: Vec::new(),
        sources: Estimate::default(),
        targets: Estimate::default(),
        top_targets: Vec::new(),
        top_ports: Vec::new(),
        coverage: Coverage::default(),
        part_of: is_part.then(|| "another".to_owned()),
    }
}

/// Seconds around the onset, some of them the same by chance, with a fraction in milliseconds.
fn moment() -> impl Strategy<Value = i64> {
    prop_oneof![-20_i64..20, -7 * 86_400..2 * 86_400_i64].prop_flat_map(|second| {
        prop_oneof![Just(0), 0..1_000_i64].prop_map(move |milli| (second * 1_000 + milli) * MILLI)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_view_of_attacks_beside_an_incident_says_what_the_inference_says(
        width in 0..30_i64,
        vote in 0..60_i64,
        first in prop::option::of(0..30_i64),
        lasts in prop::option::of(0..3 * 86_400_i64),
        attacks in prop::collection::vec((moment(), 0..5_i64, prop::option::of((0..86_400_i64, 0..20_i64)), 0..8_u8), 1..12),
    ) {
        const SECOND: i64 = 1_000_000;
        let text = |micros: i64| Time::from_micros(ONSET + micros).to_string();
        let from = first.map_or(0, |before| -before * SECOND);
        let back = lasts.map(|lasts| (vote + lasts) * SECOND);
        let phases = first.map_or_else(|| "[]".to_owned(), |_| format!("[{{\"from\": {:?}}}]", text(from)));
        let recovery = back.map_or_else(|| "null".to_owned(), |back| format!("{{\"latest\": {0:?}, \"vote\": {0:?}}}", text(back)));
        let body = format!(
            "{{\"onset\": {{\"earliest\": {:?}, \"latest\": {:?}, \"vote\": {:?}}}, \"phases\": {phases}, \"recovery\": {recovery}}}",
            text(0), text(width * SECOND), text(vote * SECOND)
        );
        let span = IncidentSpan {
            entity: country("KP"),
            onset: Interval {
                earliest: Time::from_micros(ONSET + from.min(0)),
                latest: Time::from_micros(ONSET + width.max(vote) * SECOND),
            },
            until: back.map(|back| Time::from_micros(ONSET + back)),
        };
        let attacks: Vec<Attack> = attacks.into_iter().enumerate().map(|(number, (start, wide, stop, kind))| {
            let begin = interval(start, wide * SECOND);
            let stop = stop.map(|(after, wide)| interval(start + after * SECOND, wide * SECOND));
            let entity = if kind == 7 { country("SY") } else { country("KP") };
            attack(number, entity, begin, stop, kind == 6)
        }).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let (mut store, _) = Store::open(&path).expect("a store");
        let told = |attack: &Attack| AttackTold { attack: attack.clone(), body: "{}".to_owned(), is_news: true };
        let told = attacks.iter().map(told).collect();
        store.take_tidings(&Tidings { source: "edge".into(), attacks: told, ..Tidings::default() }).expect("taken");
        let db = Connection::open(&path).expect("a store");
        let find = "INSERT OR IGNORE INTO entity (kind, code) VALUES ('country', 'KP')";
        db.execute(find, []).expect("an entity");
        let insert = "INSERT INTO incident SELECT id, 0, 'incident', 0, 'dark', ? FROM entity WHERE code = 'KP'";
        db.execute(insert, [&body]).expect("an incident");
        let mut rows = db.prepare("SELECT attack, lies, before_least, before_most FROM attack_evidence").expect("a query");
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).expect("rows");
        type Row = (String, String, Option<i64>, Option<i64>);
        let in_store: BTreeSet<Row> = rows.map(|row| row.expect("a row")).collect();
        let said = evidence(&[span], &attacks, PRECEDES, Time::MAX);
        let said: BTreeSet<Row> = said.into_iter().map(|one| {
            let (least, most) = one.before.unzip();
            (one.attack, one.lies.name().to_owned(), least, most)
        }).collect();
        prop_assert_eq!(in_store, said);
    }
}
