//! Attacks beside incidents: dated facts, and no more than that.

use super::traffic::{bits, packets};
use super::words::{counted, listed};
use super::{Case, times};
use gonedark_infer::report::Incident;
use gonedark_infer::traffic::Parameters;
use gonedark_infer::traffic::evidence::{AttackEvidence, IncidentSpan, Lies, evidence};
use gonedark_infer::traffic::report::Attack;

/// What may not be left out where an attack is told beside an outage.
pub const COINCIDENCE: &str =
    "That an attack came before an outage, or with it, does not say that it caused it.";

/// An attack beside an incident.
pub struct Beside<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// How the two lie in time.
    pub evidence: AttackEvidence,
    /// The attack.
    pub attack: &'a Attack,
}

/// All attacks beside all incidents of a case.
pub fn of<'a>(case: &Case<'a>) -> Vec<Beside<'a>> {
    let Some(traffic) = case.traffic else { return Vec::new() };
    let incidents = &case.report.incidents;
    let spans: Vec<IncidentSpan> = incidents.iter().map(IncidentSpan::from).collect();
    let now = traffic.report.window.map_or(case.report.window.1, |(_, until)| until);
    let found = evidence(&spans, &traffic.report.attacks, Parameters::default().precedes, now);
    let beside = found.into_iter().filter_map(|evidence| {
        let attack = traffic.report.attacks.iter().find(|attack| attack.id == evidence.attack)?;
        Some(Beside { incident: incidents.get(evidence.incident)?, evidence, attack })
    });
    beside.collect()
}

/// What is said of the attacks beside one incident, as sentences; nothing where there are none.
pub fn sentences(case: &Case<'_>, incident: &Incident) -> Vec<String> {
    let all = of(case);
    let own: Vec<&Beside<'_>> = all.iter().filter(|beside| beside.incident.id == incident.id).collect();
    let Some(largest) = own.iter().max_by_key(|beside| beside.attack.impact.peak.pps) else {
        return Vec::new();
    };
    let lie = |lies: Lies, words: &str| {
        let count = own.iter().filter(|beside| beside.evidence.lies == lies).count();
        (count > 0).then(|| format!("{count} {words}"))
    };
    let lying = [
        lie(Lies::Before, "over before the first loss"),
        lie(Lies::Across, "going on while the losses began"),
        lie(Lies::Within, "within the incident"),
    ];
    let lying: Vec<String> = lying.into_iter().flatten().collect();
    let begins = own.iter().map(|beside| beside.attack.start.latest).min();
    let ends = own.iter().filter_map(|beside| beside.attack.stop).map(|stop| stop.latest).max();
    let between = match (begins, ends) {
        (Some(first), Some(last)) => format!(" between {} and {}", times::stamp(first), times::stamp(last)),
        _ => String::new(),
    };
    let attacks = counted(own.len() as u64, "denial of service", "denials of service");
    let place = case.name(&incident.entity);
    let peak = largest.attack.impact.peak;
    let by = largest.attack.vectors.first().map(|vector| format!(", by {}", vector.kind)).unwrap_or_default();
    vec![
        format!("{attacks} on addresses of {place}{between} UTC: {}.", listed(&lying)),
        format!(
            "The largest had up to {} and {}, at {} from {}{by}.",
            packets(peak.pps),
            bits(peak.bps),
            largest.attack.target,
            times::stamp(largest.attack.start.latest)
        ),
        COINCIDENCE.to_owned(),
    ]
}
