//! Hand-built reports: what the inference would say of known cases, so that the forms can be judged by themselves.

use gonedark::present::traffic::{ExporterLine, InputLine, TrafficCase};
use gonedark::present::{
    Case, CountryTable, Damage, Gazetteer, Input, InputKind, LocalTime, Parameter, RunInfo, Tool,
};
use gonedark_infer::entity::{CountryCode, Entity};
use gonedark_infer::report::*;
use gonedark_infer::traffic::report::TrafficReport;
use gonedark_route::{Asn, Family, Prefix, Time};

/// Three countries and the zones of two of them.
pub(crate) struct FakeGazetteer;

impl Gazetteer for FakeGazetteer {
    fn name(&self, entity: &Entity) -> Option<String> {
        let name = match entity.code().as_str() {
            "KP" => "North Korea",
            "NL" => "the Netherlands",
            "SY" => "Syria",
            "YE" => "Yemen",
            "AS131279" => "AS131279 (Star Joint Venture)",
            _ => return None,
        };
        Some(name.to_owned())
    }

    fn local(&self, entity: &Entity, time: Time) -> Option<LocalTime> {
        let (place, zone) = match entity.code().as_str() {
            "KP" | "AS131279" => ("Pyongyang", "Asia/Pyongyang"),
            "SY" => ("Damascus", "Asia/Damascus"),
            "NL" => ("Amsterdam", "Europe/Amsterdam"),
            _ => return None,
        };
        let moment = jiff::Timestamp::from_microsecond(time.micros()).ok()?;
        let offset_s = jiff::tz::TimeZone::get(zone).ok()?.to_offset(moment).seconds();
        Some(LocalTime { offset_s, place: place.to_owned(), zone: zone.to_owned() })
    }
}

/// A report and how it was come by.
pub(crate) struct Fixture {
    pub(crate) report: Report,
    pub(crate) run: RunInfo,
    pub(crate) traffic: Option<Told>,
}

/// What was told of traffic.
#[derive(Clone, Default)]
pub(crate) struct Told {
    pub(crate) report: TrafficReport,
    pub(crate) exporters: Vec<ExporterLine>,
    pub(crate) inputs: Vec<InputLine>,
}

impl Fixture {
    pub(crate) fn case(&self) -> Case<'_> {
        let traffic = self.traffic.as_ref().map(|Told { report, exporters, inputs }| TrafficCase {
            report,
            exporters,
            inputs,
            gazetteer: &FakeGazetteer,
        });
        Case { report: &self.report, run: &self.run, gazetteer: &FakeGazetteer, traffic }
    }

    pub(crate) fn incident(&mut self) -> &mut Incident {
        &mut self.report.incidents[0]
    }

    pub(crate) fn sentence(&self) -> String {
        gonedark::present::sentence::sentence(&self.case(), &self.report.incidents[0])
    }
}

pub(crate) fn country(code: &str) -> Entity {
    Entity::Country(CountryCode::new(code).unwrap())
}

/// `2014-12-22T16:15:07Z`.
pub(crate) fn at(text: &str) -> Time {
    let moment: jiff::Timestamp = text.parse().unwrap();
    Time::from_micros(moment.as_microsecond())
}

pub(crate) fn turn(earliest: &str, latest: &str) -> Turn {
    Turn { earliest: at(earliest), latest: at(latest), vote: at(latest) }
}

pub(crate) fn phase(state: PhaseState, from: &str, until: Option<&str>, flaps: u32) -> Phase {
    Phase { state, from: at(from), until: until.map(at), flaps }
}

pub(crate) fn loss(level: Level, lost: u64, before: u64) -> FamilyLoss {
    let count = BeforeLost { before, lost };
    FamilyLoss { level, networks: count, addresses: count, split: false }
}

pub(crate) fn incident(entity: Entity, level: Level, onset: Turn, recovery: Option<Turn>) -> Incident {
    Incident {
        id: format!(
            "{}-{}-{}",
            entity.kind(),
            entity.code(),
            onset.earliest.to_string().replace(['-', ':'], "")
        ),
        entity,
        ended: recovery.is_some(),
        level,
        families: [Some(loss(level, 4, 4)), None],
        onset,
        recovery,
        duration_s: recovery.map(|back| {
            let seconds = |a: Time, b: Time| (b.seconds() - a.seconds()) as u64;
            (seconds(onset.latest, back.earliest), seconds(onset.earliest, back.latest))
        }),
        phases: Vec::new(),
        flaps: Vec::new(),
        networks: Vec::new(),
        witnesses: Witnesses {
            asns: 12,
            agreeing: 12,
            agreeing_asns: [174, 286, 1103, 1299, 2914, 3257, 3333, 3356, 6453, 6939, 7018, 12_350]
                .map(Asn)
                .to_vec(),
            stuck: vec![],
        },
        notes: Vec::new(),
    }
}

fn run() -> RunInfo {
    let input = |path: &str, collector: &str, kind, first: &str, last: &str, records| Input {
        path: path.to_owned(),
        sha256: format!("{:064x}", records * 7_919),
        collector: collector.to_owned(),
        kind,
        first: Some(at(first)),
        last: Some(at(last)),
        records,
        skipped: 0,
        damage: vec![],
    };
    let parameter = |name: &str, value: serde_json::Value, unit: &str, source: &str| Parameter {
        name: name.to_owned(),
        value,
        unit: unit.to_owned(),
        source: source.to_owned(),
    };
    RunInfo {
        tool: Tool { name: "gonedark".to_owned(), version: "0.1.0".to_owned() },
        command: "gonedark replay --country KP --from 2014-12-20 --until 2014-12-25 archives".to_owned(),
        parameters: vec![
            parameter("min_duration_s", 120.into(), "s", "--min-duration, default"),
            parameter("full_feed_share", 0.75.into(), "", "guess, to be swept"),
            parameter("lost_below", 0.5.into(), "", "IODA"),
            parameter("back_from", 0.8.into(), "", "Richter et al. 2018, beta"),
        ],
        countries: vec![CountryTable {
            file: "delegated-apnic-extended-20141231".to_owned(),
            serial: "20141231".to_owned(),
            sha256: "5b".repeat(32),
            date: "2014-12-31".to_owned(),
        }],
        inputs: vec![
            input(
                "archives/rrc00/updates.20141222.1615.gz",
                "rrc00",
                InputKind::Updates,
                "2014-12-22T16:15:00Z",
                "2014-12-22T16:19:59Z",
                48_211,
            ),
            input(
                "archives/route-views2/rib.20141219.2200.bz2",
                "route-views2",
                InputKind::Rib,
                "2014-12-19T22:00:00Z",
                "2014-12-19T22:00:41Z",
                531_007,
            ),
            Input {
                damage: vec![Damage {
                    offset: Some(1_048_576),
                    what: "the gzip stream ends within a member".to_owned(),
                    count: 1,
                }],
                skipped: 3,
                ..input(
                    "archives/rrc00/updates.20141222.1620.gz",
                    "rrc00",
                    InputKind::Updates,
                    "2014-12-22T16:20:00Z",
                    "2014-12-22T16:22:31Z",
                    20_013,
                )
            },
        ],
        reconstruction: None,
    }
}

fn coverage() -> Coverage {
    Coverage {
        collectors: vec!["route-views2".to_owned(), "rrc00".to_owned(), "rrc01".to_owned()],
        full_feed_asns: [12, 9],
        blind: vec![
            Blind {
                collector: "rrc00".to_owned(),
                peer_asn: Some(Asn(3333)),
                from: at("2014-12-21T04:10:12Z"),
                until: at("2014-12-21T04:22:40Z"),
                reason: BlindReason::SessionDown,
            },
            Blind {
                collector: "rrc00".to_owned(),
                peer_asn: Some(Asn(1103)),
                from: at("2014-12-21T04:10:12Z"),
                until: at("2014-12-21T04:31:02Z"),
                reason: BlindReason::SessionDown,
            },
            Blind {
                collector: "rrc01".to_owned(),
                peer_asn: None,
                from: at("2014-12-24T03:00:00Z"),
                until: at("2014-12-24T07:05:00Z"),
                reason: BlindReason::MissingFile,
            },
        ],
    }
}

fn report(incidents: Vec<Incident>, series: Vec<Series>, entities: Vec<EntityStatus>) -> Report {
    Report {
        window: (at("2014-12-20T00:00:00Z"), at("2014-12-25T00:00:00Z")),
        entities,
        coverage: coverage(),
        incidents,
        series,
        notes: Vec::new(),
    }
}

fn series(
    entity: Entity,
    family: Family,
    signal: Signal,
    start: &str,
    points: impl IntoIterator<Item = (Time, Sample)>,
) -> Series {
    let mut all: Vec<(Time, Sample)> = vec![];
    for point in points {
        if all.last().is_none_or(|last| last.0 < point.0) {
            all.push(point);
        }
    }
    assert_eq!(all.first().map(|point| point.0), Some(at(start)));
    Series { entity, family, signal, points: all }
}

/// 31 short falls that come ever more often and last ever longer.
pub(crate) fn worsening_flaps() -> Vec<Flap> {
    let (from, until) = (at("2014-12-21T14:02:10Z"), at("2014-12-22T16:00:00Z"));
    let length = (until.seconds() - from.seconds()) as f64;
    (0..31_u32)
        .map(|index| {
            let share = (f64::from(index) / 31.0).sqrt();
            let begin = Time::from_seconds(from.seconds() + (length * share) as i64);
            Flap {
                from: begin,
                until: begin + (60 + i64::from(index) * 11) * 1_000_000,
                level: if index % 3 == 0 { Level::Partial } else { Level::Dark },
            }
        })
        .collect()
}

/// The published course of December 2014: a day of flapping, the collapse, the return, and a second loss.
pub(crate) fn north_korea() -> Fixture {
    let entity = country("KP");
    let mut main = incident(
        entity,
        Level::Dark,
        Turn {
            earliest: at("2014-12-22T16:07:12Z"),
            latest: at("2014-12-22T16:15:40Z"),
            vote: at("2014-12-22T16:13:20Z"),
        },
        Some(Turn {
            earliest: at("2014-12-23T01:46:03Z"),
            latest: at("2014-12-23T01:46:52Z"),
            vote: at("2014-12-23T01:46:20Z"),
        }),
    );
    main.id = "country-KP-20141221T140210Z".to_owned();
    main.phases = vec![
        phase(PhaseState::Unstable, "2014-12-21T14:02:10Z", Some("2014-12-22T16:11:05Z"), 31),
        phase(PhaseState::Severe, "2014-12-22T16:11:05Z", Some("2014-12-22T16:13:20Z"), 0),
        phase(PhaseState::Dark, "2014-12-22T16:13:20Z", Some("2014-12-23T01:46:20Z"), 0),
        phase(PhaseState::Recovering, "2014-12-23T01:46:20Z", Some("2014-12-23T01:46:41Z"), 0),
    ];
    main.flaps = worsening_flaps();
    main.networks = (176..180)
        .map(|third| NetworkLoss {
            prefix: format!("175.45.{third}.0/24").parse::<Prefix>().unwrap(),
            origin_asns: vec![Asn(131_279)],
            upstreams: vec![Asn(4_837)],
            lost: Interval {
                earliest: at("2014-12-22T16:07:12Z"),
                latest: at("2014-12-22T16:13:20Z") + (third - 177) * 70_000_000,
            },
            back: Some(Interval { earliest: at("2014-12-23T01:46:03Z"), latest: at("2014-12-23T01:46:52Z") }),
            foreign_origins: if third == 179 { vec![Asn(64_500)] } else { vec![] },
        })
        .collect();
    let mut second = incident(
        entity,
        Level::Dark,
        turn("2014-12-23T15:41:00Z", "2014-12-23T15:43:10Z"),
        Some(turn("2014-12-23T16:12:05Z", "2014-12-23T16:12:30Z")),
    );
    second.phases = vec![phase(PhaseState::Dark, "2014-12-23T15:43:10Z", Some("2014-12-23T16:12:30Z"), 0)];
    second.networks = main.networks.iter().take(2).cloned().collect();
    let status = EntityStatus {
        entity,
        state: EntityState::Normal,
        networks: [BeforeLost { before: 4, lost: 0 }, BeforeLost::default()],
        addresses: [BeforeLost { before: 4, lost: 0 }, BeforeLost::default()],
        origin_asns: vec![Asn(131_279)],
        upstreams: vec![Asn(4_837)],
        flaps: 31,
    };
    let series = north_korea_series(entity, &main.flaps);
    let mut fixture =
        Fixture { report: report(vec![main, second], series, vec![status]), run: run(), traffic: None };
    fixture.run.reconstruction =
        Some("This is a reconstruction from published reports, not a recording.".to_owned());
    fixture.report.notes = vec![Note::ClockSkew { collector: "rrc01".to_owned(), micros: 1_400_000 }];
    fixture
}

fn north_korea_series(entity: Entity, flaps: &[Flap]) -> Vec<Series> {
    let start = "2014-12-20T00:00:00Z";
    let mut up: Vec<(Time, Sample)> = vec![(at(start), Sample::Value(4))];
    for flap in flaps {
        let left = if flap.level == Level::Dark { 0 } else { 2 };
        up.push((flap.from, Sample::Value(left)));
        up.push((flap.until, Sample::Value(4)));
    }
    let rest = [
        ("2014-12-22T16:11:05Z", 2),
        ("2014-12-22T16:12:00Z", 1),
        ("2014-12-22T16:13:20Z", 0),
        ("2014-12-23T01:46:20Z", 3),
        ("2014-12-23T01:46:41Z", 4),
        ("2014-12-23T15:41:00Z", 1),
        ("2014-12-23T15:43:10Z", 0),
        ("2014-12-23T16:12:05Z", 2),
        ("2014-12-23T16:12:30Z", 4),
    ];
    up.extend(rest.map(|(time, value)| (at(time), Sample::Value(value))));
    up.push((at("2014-12-24T03:00:00Z"), Sample::Missing));
    up.push((at("2014-12-24T07:05:00Z"), Sample::Value(4)));
    let lost: Vec<(Time, Sample)> = up
        .iter()
        .map(|(time, sample)| {
            let lost = match sample {
                Sample::Value(value) => Sample::Value(4 - value),
                Sample::Missing => Sample::Missing,
            };
            (*time, lost)
        })
        .collect();
    let sighted = [
        (start, 12),
        ("2014-12-21T04:10:12Z", 10),
        ("2014-12-21T04:31:02Z", 12),
        ("2014-12-24T03:00:00Z", 4),
        ("2014-12-24T07:05:00Z", 12),
    ];
    let sighted = sighted.map(|(time, value)| (at(time), Sample::Value(value)));
    vec![
        series(entity, Family::V4, Signal::NetworksUp, start, up),
        series(entity, Family::V4, Signal::NetworksLost, start, lost.clone()),
        series(entity, Family::V4, Signal::AddressesLost, start, lost),
        series(entity, Family::V4, Signal::VotersSighted, start, sighted),
    ]
}

/// Syria goes dark while too few can see, and still is when the recording ends.
pub(crate) fn ongoing() -> Fixture {
    let entity = country("SY");
    let mut one = incident(entity, Level::Dark, turn("2014-12-24T09:30:00Z", "2014-12-24T11:05:00Z"), None);
    one.families = [Some(loss(Level::Dark, 66, 66)), None];
    one.witnesses.agreeing = 11;
    one.witnesses.agreeing_asns.pop();
    one.witnesses.stuck = vec![Asn(12_350)];
    one.phases = vec![
        phase(PhaseState::Partial, "2014-12-24T08:00:07Z", Some("2014-12-24T09:30:00Z"), 0),
        phase(PhaseState::Unknown, "2014-12-24T09:30:00Z", Some("2014-12-24T11:05:00Z"), 0),
        phase(PhaseState::Dark, "2014-12-24T11:05:00Z", None, 0),
    ];
    one.notes = vec![Note::NextToBlindness, Note::TableNotSeen { collector: "rrc01".to_owned() }];
    let start = "2014-12-20T00:00:00Z";
    let up = [
        (at(start), Sample::Value(66)),
        (at("2014-12-24T08:00:07Z"), Sample::Value(51)),
        (at("2014-12-24T09:30:00Z"), Sample::Missing),
        (at("2014-12-24T11:05:00Z"), Sample::Value(0)),
    ];
    let status = EntityStatus {
        entity,
        state: EntityState::Dark,
        networks: [BeforeLost { before: 66, lost: 66 }, BeforeLost::default()],
        addresses: [BeforeLost { before: 66, lost: 66 }, BeforeLost::default()],
        origin_asns: vec![Asn(29_256), Asn(29_386)],
        upstreams: vec![Asn(3_491)],
        flaps: 0,
    };
    let series = vec![series(entity, Family::V4, Signal::NetworksUp, start, up)];
    Fixture { report: report(vec![one], series, vec![status]), run: run(), traffic: None }
}

/// IPv6 dark while IPv4 stands.
pub(crate) fn v6_only() -> Fixture {
    let entity = country("NL");
    let mut one = incident(
        entity,
        Level::Severe,
        turn("2014-12-24T10:00:07Z", "2014-12-24T10:00:07Z"),
        Some(turn("2014-12-24T12:30:11Z", "2014-12-24T12:41:00Z")),
    );
    one.families = [Some(loss(Level::None, 0, 5_011)), Some(loss(Level::Dark, 301, 301))];
    one.witnesses.asns = 9;
    one.witnesses.agreeing = 9;
    one.witnesses.agreeing_asns.truncate(9);
    one.phases = vec![phase(PhaseState::Severe, "2014-12-24T10:00:07Z", Some("2014-12-24T12:41:00Z"), 0)];
    let start = "2014-12-20T00:00:00Z";
    let v6 = [
        (at(start), Sample::Value(301)),
        (at("2014-12-24T10:00:07Z"), Sample::Value(0)),
        (at("2014-12-24T12:30:11Z"), Sample::Value(180)),
        (at("2014-12-24T12:41:00Z"), Sample::Value(301)),
    ];
    let v4 = [
        (at(start), Sample::Value(5_011)),
        (at("2014-12-22T00:00:00Z"), Sample::Value(5_003)),
        (at("2014-12-22T09:00:00Z"), Sample::Value(5_011)),
    ];
    let series = vec![
        series(entity, Family::V4, Signal::NetworksUp, start, v4),
        series(entity, Family::V6, Signal::NetworksUp, start, v6),
    ];
    Fixture { report: report(vec![one], series, vec![]), run: run(), traffic: None }
}

/// Nothing found, of one country asked for; another could not be seen.
pub(crate) fn nothing() -> Fixture {
    let status = |code, state, before| EntityStatus {
        entity: country(code),
        state,
        networks: [BeforeLost { before, lost: 0 }, BeforeLost::default()],
        addresses: [BeforeLost { before, lost: 0 }, BeforeLost::default()],
        origin_asns: vec![],
        upstreams: vec![],
        flaps: 0,
    };
    let entities = vec![status("KP", EntityState::Normal, 4), status("YE", EntityState::Unknown, 47)];
    Fixture { report: report(vec![], vec![], entities), run: run(), traffic: None }
}

/// Two hundred incidents of as many countries and networks.
pub(crate) fn crowd() -> Fixture {
    let mut fixture = north_korea();
    for number in 0..198_u32 {
        let begin = at("2014-12-20T01:00:00Z") + i64::from(number) * 1_900_000_000;
        let level = [Level::Partial, Level::Severe, Level::Dark][number as usize % 3];
        let end = begin + (300 + i64::from(number) * 37) * 1_000_000;
        let turn = |time: Time| Turn { earliest: time, latest: time + 20_000_000, vote: time };
        let mut one = incident(Entity::As(Asn(64_500 + number)), level, turn(begin), Some(turn(end)));
        let lost = u64::from(number % 7 + 1);
        one.families[0] = Some(loss(level, lost, lost + 3 * u64::from(3 - number % 3)));
        let state = match level {
            Level::Dark => PhaseState::Dark,
            Level::Severe => PhaseState::Severe,
            _ => PhaseState::Partial,
        };
        one.phases = vec![Phase { state, from: begin, until: Some(end), flaps: 0 }];
        fixture.report.incidents.push(one);
    }
    fixture
}
