//! Attacks as JSON: schema 1 of traffic, as docs/traffic-schema.md describes it.

use super::{ExporterLine, InputLine, TrafficCase};
use gonedark_infer::entity::Entity;
use gonedark_infer::report::Interval;
use gonedark_infer::traffic::report::{Attack, Deaf, Direction, Estimate, Rate, Target};
use serde::{Serialize, Serializer};
use std::fmt::Display;
use std::io::{self, Write};

/// The version of the schema.
pub const SCHEMA: u32 = 1;

/// One object, indented, with a line's end after it.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, case: &TrafficCase<'_>) -> io::Result<()> {
    let report = case.report;
    let deaf = report.deaf.iter().map(|deaf| DeafJson::of(deaf, case.exporters)).collect();
    let document = Document {
        schema: SCHEMA,
        window: report.window.map(|(from, until)| Window { from: Text(from), until: Text(until) }),
        inputs: case.inputs,
        exporters: case.exporters,
        records: report.records,
        records_without_room: report.without_room.iter().sum(),
        deaf,
        attacks: report.attacks.iter().map(|attack| AttackJson::of(attack, case)).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// One attack a line.
///
/// # Errors
/// Those of the writer.
pub fn write_ndjson(out: &mut dyn Write, case: &TrafficCase<'_>) -> io::Result<()> {
    for attack in &case.report.attacks {
        serde_json::to_writer(&mut *out, &AttackJson::of(attack, case))?;
        writeln!(out)?;
    }
    Ok(())
}

/// What is written as it is printed.
struct Text<T>(T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    window: Option<Window>,
    inputs: &'a [InputLine],
    exporters: &'a [ExporterLine],
    records: u64,
    records_without_room: u64,
    deaf: Vec<DeafJson<'a>>,
    attacks: Vec<AttackJson<'a>>,
}

#[derive(Serialize)]
struct Window {
    from: Text<gonedark_route::Time>,
    until: Text<gonedark_route::Time>,
}

#[derive(Serialize)]
struct DeafJson<'a> {
    exporter: &'a str,
    from: Text<gonedark_route::Time>,
    until: Text<gonedark_route::Time>,
    reason: &'static str,
    lost: u64,
}

impl<'a> DeafJson<'a> {
    fn of(deaf: &Deaf, exporters: &'a [ExporterLine]) -> Self {
        let reason = deaf.reason.name();
        let (from, until) = (Text(deaf.from), Text(deaf.until));
        DeafJson { exporter: address(deaf.exporter, exporters), from, until, reason, lost: deaf.lost }
    }
}

fn address(exporter: u16, exporters: &[ExporterLine]) -> &str {
    exporters.get(usize::from(exporter)).map_or("", |known| &known.address)
}

/// An attack as it stands in the list of attacks.
#[derive(Serialize)]
pub struct AttackJson<'a> {
    id: &'a str,
    alert_type: &'static str,
    target: TargetJson,
    entities: Vec<EntityJson>,
    ip_version: Option<u8>,
    direction: &'static str,
    ongoing: bool,
    start: IntervalJson,
    detected: Text<gonedark_route::Time>,
    stop: Option<IntervalJson>,
    fast_detected: bool,
    impact: ImpactJson,
    severity: SeverityJson,
    misuse_types: Vec<&'static str>,
    vectors: Vec<VectorJson>,
    sources: EstimateJson,
    targets: EstimateJson,
    top_targets: Vec<TopTarget>,
    top_ports: Vec<TopPort>,
    coverage: CoverageJson<'a>,
    part_of: Option<&'a str>,
}

#[derive(Serialize)]
struct TargetJson {
    kind: &'static str,
    code: String,
}

#[derive(Serialize)]
struct EntityJson {
    kind: &'static str,
    code: String,
    name: Option<String>,
}

#[derive(Serialize)]
struct IntervalJson {
    earliest: Text<gonedark_route::Time>,
    latest: Text<gonedark_route::Time>,
}

#[derive(Serialize)]
struct ImpactJson {
    peak: RateJson,
    mean: RateJson,
    packets: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct RateJson {
    pps: u64,
    bps: u64,
}

#[derive(Serialize)]
struct SeverityJson {
    percent: u64,
    threshold: u64,
    unit: &'static str,
    misuse_type: &'static str,
}

#[derive(Serialize)]
struct VectorJson {
    name: Text<gonedark_infer::traffic::report::VectorKind>,
    packets: u64,
    bytes: u64,
    share: f64,
}

#[derive(Serialize)]
struct EstimateJson {
    value: u64,
    standard_error: f64,
}

#[derive(Serialize)]
struct TopTarget {
    address: std::net::IpAddr,
    packets: u64,
}

#[derive(Serialize)]
struct TopPort {
    port: u16,
    packets: u64,
}

#[derive(Serialize)]
struct CoverageJson<'a> {
    exporters: Vec<&'a str>,
    records: u64,
    lost: u64,
    sampling: [u32; 2],
}

impl<'a> AttackJson<'a> {
    /// Of an attack; the case knows names and exporters.
    pub fn of(attack: &'a Attack, case: &TrafficCase<'a>) -> Self {
        let entity = |entity: &Entity| EntityJson {
            kind: entity.kind(),
            code: entity.code(),
            name: case.gazetteer.name(entity),
        };
        let vector = |vector: &gonedark_infer::traffic::report::Vector| VectorJson {
            name: Text(vector.kind),
            packets: vector.packets,
            bytes: vector.bytes,
            share: f64::from(vector.permille) / 1000.0,
        };
        let coverage = &attack.coverage;
        let exporters = coverage.exporters.iter().map(|exporter| address(*exporter, case.exporters));
        let (least, most) = coverage.sampling;
        let top = attack
            .top_targets
            .iter()
            .map(|(address, packets)| TopTarget { address: *address, packets: *packets });
        let ports = attack.top_ports.iter().map(|(port, packets)| TopPort { port: *port, packets: *packets });
        AttackJson {
            id: &attack.id,
            alert_type: attack.alert_type.name(),
            target: target(attack.target),
            entities: attack.entities.iter().map(entity).collect(),
            ip_version: attack.family.map(|family| if family.bits() == 32 { 4 } else { 6 }),
            direction: match attack.direction {
                Direction::Inbound => "inbound",
                Direction::Transit => "transit",
            },
            ongoing: attack.is_ongoing(),
            start: interval(attack.start),
            detected: Text(attack.detected),
            stop: attack.stop.map(interval),
            fast_detected: attack.is_fast,
            impact: ImpactJson {
                peak: rate(attack.impact.peak),
                mean: rate(attack.impact.mean),
                packets: attack.impact.packets,
                bytes: attack.impact.bytes,
            },
            severity: SeverityJson {
                percent: attack.severity.percent,
                threshold: attack.severity.threshold,
                unit: attack.severity.unit.name(),
                misuse_type: attack.severity.misuse.name(),
            },
            misuse_types: attack.misuses.iter().map(|misuse| misuse.name()).collect(),
            vectors: attack.vectors.iter().map(vector).collect(),
            sources: estimate(attack.sources),
            targets: estimate(attack.targets),
            top_targets: top.collect(),
            top_ports: ports.collect(),
            coverage: CoverageJson {
                exporters: exporters.collect(),
                records: coverage.records,
                lost: coverage.lost,
                sampling: [least, most],
            },
            part_of: attack.part_of.as_deref(),
        }
    }
}

fn target(target: Target) -> TargetJson {
    let kind = match target {
        Target::Host(_) => "host",
        Target::Block(_) => "block",
        Target::Entity(entity) => entity.kind(),
    };
    TargetJson { kind, code: target.to_string() }
}

fn interval(when: Interval) -> IntervalJson {
    IntervalJson { earliest: Text(when.earliest), latest: Text(when.latest) }
}

fn rate(rate: Rate) -> RateJson {
    RateJson { pps: rate.pps, bps: rate.bps }
}

fn estimate(number: Estimate) -> EstimateJson {
    let error = number.value as f64 * f64::from(number.error_permille) / 1000.0;
    EstimateJson { value: number.value, standard_error: error.round() }
}
