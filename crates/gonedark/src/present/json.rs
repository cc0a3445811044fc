//! JSON as scripts may rely on it: schema 1, field names, nesting and order as in docs/report-schema.md.
//!
//! Everything is written while it is walked: nothing is copied but one incident's small lists at a time.

use super::evidence;
use super::traffic::TrafficCase;
use super::traffic::json::AttackJson;
use super::{Case, CountryTable, Damage, Gazetteer, Input, Parameter, Tool};
use gonedark_infer::entity::Entity;
use gonedark_infer::report::{
    BeforeLost, Blind, Coverage, EntityStatus, FamilyLoss, Incident, Interval, NetworkLoss, Phase, Turn,
    Witnesses,
};
use gonedark_route::{Asn, Time};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::io::{self, Write};

/// The version of the schema.
pub const SCHEMA: u32 = 1;

/// One object, indented, with a line's end after it.
pub fn write(out: &mut dyn Write, case: &Case<'_>) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Document { head: head(case), incidents: Incidents(case) })?;
    writeln!(out)
}

/// One line with everything but the incidents, then one line for each incident.
pub fn write_ndjson(out: &mut dyn Write, case: &Case<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &head(case))?;
    writeln!(out)?;
    for incident in &case.report.incidents {
        serde_json::to_writer(&mut *out, &IncidentJson::new(case.gazetteer, incident))?;
        writeln!(out)?;
    }
    Ok(())
}

/// One incident as it stands in the list of incidents.
pub fn incident(incident: &Incident, gazetteer: &dyn Gazetteer) -> String {
    // Memory takes everything.
    serde_json::to_string(&IncidentJson::new(gazetteer, incident)).unwrap_or_default()
}

#[derive(serde::Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    incidents: Incidents<'a>,
}

#[derive(serde::Serialize)]
struct Head<'a> {
    schema: u32,
    tool: ToolJson<'a>,
    parameters: Parameters<'a>,
    countries: Vec<CountryJson<'a>>,
    inputs: Vec<InputJson<'a>>,
    window: WindowJson,
    entities: Vec<EntityJson<'a>>,
    coverage: CoverageJson<'a>,
    /// Only where flows were told of.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Vec<EvidenceJson<'a>>>,
}

/// An attack beside an incident.
#[derive(serde::Serialize)]
struct EvidenceJson<'a> {
    incident: &'a str,
    kind: &'static str,
    lies: &'static str,
    before_s: Option<DurationJson>,
    attack: AttackJson<'a>,
}

fn evidence_of<'a>(case: &Case<'a>, traffic: &TrafficCase<'a>) -> Vec<EvidenceJson<'a>> {
    let seconds = |micros: i64| u64::try_from(micros / 1_000_000).unwrap_or(0);
    let one = |beside: evidence::Beside<'a>| EvidenceJson {
        incident: &beside.incident.id,
        kind: "attack",
        lies: beside.evidence.lies.name(),
        before_s: beside
            .evidence
            .before
            .map(|(min, max)| DurationJson { min: seconds(min), max: seconds(max) }),
        attack: AttackJson::of(beside.attack, traffic),
    };
    evidence::of(case).into_iter().map(one).collect()
}

fn head<'a>(case: &Case<'a>) -> Head<'a> {
    let Tool { name, version } = &case.run.tool;
    let (from, until) = case.report.window;
    Head {
        schema: SCHEMA,
        tool: ToolJson { name, version },
        parameters: Parameters(&case.run.parameters),
        countries: case.run.countries.iter().map(CountryJson::from).collect(),
        inputs: case.run.sorted_inputs().into_iter().map(InputJson::from).collect(),
        window: WindowJson { from: Stamp(from), until: Stamp(until) },
        entities: case.report.entities.iter().map(|status| EntityJson::new(case, status)).collect(),
        coverage: CoverageJson::from(&case.report.coverage),
        evidence: case.traffic.as_ref().map(|traffic| evidence_of(case, traffic)),
    }
}

/// RFC 3339 in UTC with `Z`.
struct Stamp(Time);

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct Text<T>(T);

impl<T: std::fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct Asns<'a>(&'a [Asn]);

impl Serialize for Asns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|asn| asn.0))
    }
}

struct Parameters<'a>(&'a [Parameter]);

impl Serialize for Parameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for parameter in self.0 {
            map.serialize_entry(&parameter.name, &parameter.value)?;
        }
        map.end()
    }
}

struct Incidents<'a>(&'a Case<'a>);

impl Serialize for Incidents<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.0.report.incidents.iter().map(|incident| IncidentJson::new(self.0.gazetteer, incident)),
        )
    }
}

#[derive(serde::Serialize)]
struct ToolJson<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(serde::Serialize)]
struct CountryJson<'a> {
    file: &'a str,
    serial: &'a str,
    sha256: &'a str,
    date: &'a str,
}

impl<'a> From<&'a CountryTable> for CountryJson<'a> {
    fn from(CountryTable { file, serial, sha256, date }: &'a CountryTable) -> Self {
        CountryJson { file, serial, sha256, date }
    }
}

#[derive(serde::Serialize)]
struct InputJson<'a> {
    path: &'a str,
    sha256: &'a str,
    collector: &'a str,
    kind: &'static str,
    first: Option<Stamp>,
    last: Option<Stamp>,
    records: u64,
    skipped: u64,
    damage: Vec<DamageJson<'a>>,
}

#[derive(serde::Serialize)]
struct DamageJson<'a> {
    offset: Option<u64>,
    what: &'a str,
    count: u64,
}

impl<'a> From<&'a Input> for InputJson<'a> {
    fn from(input: &'a Input) -> Self {
        let damage =
            |Damage { offset, what, count }: &'a Damage| DamageJson { offset: *offset, what, count: *count };
        InputJson {
            path: &input.path,
            sha256: &input.sha256,
            collector: &input.collector,
            kind: input.kind.name(),
            first: input.first.map(Stamp),
            last: input.last.map(Stamp),
            records: input.records,
            skipped: input.skipped,
            damage: input.damage.iter().map(damage).collect(),
        }
    }
}

#[derive(serde::Serialize)]
struct WindowJson {
    from: Stamp,
    until: Stamp,
}

#[derive(serde::Serialize)]
struct ByFamily<T> {
    ipv4: T,
    ipv6: T,
}

impl<T> From<[T; 2]> for ByFamily<T> {
    fn from([ipv4, ipv6]: [T; 2]) -> Self {
        ByFamily { ipv4, ipv6 }
    }
}

#[derive(serde::Serialize)]
struct CountJson {
    before: u64,
    lost: u64,
}

impl From<BeforeLost> for CountJson {
    fn from(BeforeLost { before, lost }: BeforeLost) -> Self {
        CountJson { before, lost }
    }
}

#[derive(serde::Serialize)]
struct EntityJson<'a> {
    kind: &'static str,
    code: String,
    name: Option<String>,
    state: &'static str,
    networks: ByFamily<CountJson>,
    addresses: ByFamily<CountJson>,
    origin_asns: Asns<'a>,
    upstreams: Asns<'a>,
    flaps: u32,
}

impl<'a> EntityJson<'a> {
    fn new(case: &Case<'_>, status: &'a EntityStatus) -> Self {
        EntityJson {
            kind: status.entity.kind(),
            code: status.entity.code(),
            name: case.gazetteer.name(&status.entity),
            state: status.state.name(),
            networks: status.networks.map(CountJson::from).into(),
            addresses: status.addresses.map(CountJson::from).into(),
            origin_asns: Asns(&status.origin_asns),
            upstreams: Asns(&status.upstreams),
            flaps: status.flaps,
        }
    }
}

#[derive(serde::Serialize)]
struct CoverageJson<'a> {
    collectors: usize,
    full_feed_asns: ByFamily<u32>,
    blind: Vec<BlindJson<'a>>,
}

impl<'a> From<&'a Coverage> for CoverageJson<'a> {
    fn from(coverage: &'a Coverage) -> Self {
        CoverageJson {
            collectors: coverage.collectors.len(),
            full_feed_asns: coverage.full_feed_asns.into(),
            blind: coverage.blind.iter().map(BlindJson::from).collect(),
        }
    }
}

#[derive(serde::Serialize)]
struct BlindJson<'a> {
    collector: &'a str,
    peer_asn: Option<u32>,
    from: Stamp,
    until: Stamp,
    reason: &'static str,
}

impl<'a> From<&'a Blind> for BlindJson<'a> {
    fn from(blind: &'a Blind) -> Self {
        BlindJson {
            collector: &blind.collector,
            peer_asn: blind.peer_asn.map(|asn| asn.0),
            from: Stamp(blind.from),
            until: Stamp(blind.until),
            reason: blind.reason.name(),
        }
    }
}

#[derive(serde::Serialize)]
struct IncidentJson<'a> {
    id: &'a str,
    entity: EntityName,
    lifecycle: &'static str,
    level: &'static str,
    families: ByFamily<Option<FamilyJson>>,
    onset: TurnJson,
    recovery: Option<TurnJson>,
    duration_s: Option<DurationJson>,
    phases: Vec<PhaseJson>,
    networks: Vec<NetworkJson<'a>>,
    witnesses: WitnessesJson<'a>,
}

impl<'a> IncidentJson<'a> {
    fn new(gazetteer: &dyn Gazetteer, incident: &'a Incident) -> Self {
        IncidentJson {
            id: &incident.id,
            entity: EntityName::new(gazetteer, &incident.entity),
            lifecycle: lifecycle(incident),
            level: incident.level.name(),
            families: incident.families.map(|loss| loss.map(FamilyJson::from)).into(),
            onset: incident.onset.into(),
            recovery: incident.recovery.map(TurnJson::from),
            duration_s: incident.duration_s.map(|(min, max)| DurationJson { min, max }),
            phases: incident.phases.iter().map(PhaseJson::from).collect(),
            networks: incident.networks.iter().map(NetworkJson::from).collect(),
            witnesses: (&incident.witnesses).into(),
        }
    }
}

/// `ongoing` or `ended`.
pub(super) fn lifecycle(incident: &Incident) -> &'static str {
    if incident.ended { "ended" } else { "ongoing" }
}

#[derive(serde::Serialize)]
struct EntityName {
    kind: &'static str,
    code: String,
    name: Option<String>,
}

impl EntityName {
    fn new(gazetteer: &dyn Gazetteer, entity: &Entity) -> Self {
        EntityName { kind: entity.kind(), code: entity.code(), name: gazetteer.name(entity) }
    }
}

#[derive(serde::Serialize)]
struct FamilyJson {
    level: &'static str,
    networks: CountJson,
    addresses: CountJson,
}

impl From<FamilyLoss> for FamilyJson {
    fn from(loss: FamilyLoss) -> Self {
        FamilyJson {
            level: loss.level.name(),
            networks: loss.networks.into(),
            addresses: loss.addresses.into(),
        }
    }
}

#[derive(serde::Serialize)]
struct TurnJson {
    earliest: Stamp,
    latest: Stamp,
    vote: Stamp,
}

impl From<Turn> for TurnJson {
    fn from(turn: Turn) -> Self {
        TurnJson { earliest: Stamp(turn.earliest), latest: Stamp(turn.latest), vote: Stamp(turn.vote) }
    }
}

#[derive(serde::Serialize)]
struct DurationJson {
    min: u64,
    max: u64,
}

#[derive(serde::Serialize)]
struct PhaseJson {
    state: &'static str,
    from: Stamp,
    until: Option<Stamp>,
    flaps: u32,
}

impl From<&Phase> for PhaseJson {
    fn from(phase: &Phase) -> Self {
        PhaseJson {
            state: phase.state.name(),
            from: Stamp(phase.from),
            until: phase.until.map(Stamp),
            flaps: phase.flaps,
        }
    }
}

#[derive(serde::Serialize)]
struct IntervalJson {
    earliest: Stamp,
    latest: Stamp,
}

impl From<Interval> for IntervalJson {
    fn from(interval: Interval) -> Self {
        IntervalJson { earliest: Stamp(interval.earliest), latest: Stamp(interval.latest) }
    }
}

#[derive(serde::Serialize)]
struct NetworkJson<'a> {
    prefix: Text<gonedark_route::Prefix>,
    origin_asns: Asns<'a>,
    upstreams: Asns<'a>,
    lost: IntervalJson,
    back: Option<IntervalJson>,
}

impl<'a> From<&'a NetworkLoss> for NetworkJson<'a> {
    fn from(network: &'a NetworkLoss) -> Self {
        NetworkJson {
            prefix: Text(network.prefix),
            origin_asns: Asns(&network.origin_asns),
            upstreams: Asns(&network.upstreams),
            lost: network.lost.into(),
            back: network.back.map(IntervalJson::from),
        }
    }
}

#[derive(serde::Serialize)]
struct WitnessesJson<'a> {
    asns: u32,
    agreeing: u32,
    stuck: Asns<'a>,
}

impl<'a> From<&'a Witnesses> for WitnessesJson<'a> {
    fn from(witnesses: &'a Witnesses) -> Self {
        WitnessesJson { asns: witnesses.asns, agreeing: witnesses.agreeing, stuck: Asns(&witnesses.stuck) }
    }
}
