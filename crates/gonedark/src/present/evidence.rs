//! Attacks beside incidents: dated facts, and no more than that.

use super::traffic::{bits, means, packets};
use super::words::{counted, listed};
use super::{Case, times};
use gonedark_infer::report::Incident;
use gonedark_infer::traffic::Parameters;
use gonedark_infer::traffic::evidence::{AttackEvidence, IncidentSpan, Lies, evidence};
use gonedark_infer::traffic::report::Attack;
use gonedark_route::Time;
use std::collections::BTreeMap;

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

impl Beside<'_> {
    /// How long before the onset it was over, where it was: `26 h 05 min to 26 h 13 min`.
    pub fn before(&self) -> Option<String> {
        let seconds = |micros: i64| u64::try_from(micros / 1_000_000).unwrap_or(0);
        let (least, most) = self.evidence.before?;
        Some(times::duration_range((seconds(least), seconds(most))))
    }
}

/// How attacks lie to an incident, in words.
pub const fn words(lies: Lies) -> &'static str {
    match lies {
        Lies::Before => "over before the first loss",
        Lies::Across => "going on while the losses began",
        Lies::Within => "within the incident",
    }
}

/// Up to when attacks were looked for; without flows, up to the end of the routes.
pub fn heard_until(case: &Case<'_>) -> Time {
    let heard = case.traffic.and_then(|traffic| traffic.report.window);
    heard.map_or(case.report.window.1, |(_, until)| until)
}

/// All attacks beside all incidents of a case.
pub fn of<'a>(case: &Case<'a>) -> Vec<Beside<'a>> {
    let Some(traffic) = case.traffic else { return Vec::new() };
    let incidents = &case.report.incidents;
    let attacks = &traffic.report.attacks;
    let spans: Vec<IncidentSpan> = incidents.iter().map(IncidentSpan::from).collect();
    let found = evidence(&spans, attacks, Parameters::default().precedes, heard_until(case));
    let by_id: BTreeMap<&str, &Attack> = attacks.iter().map(|attack| (&attack.id[..], attack)).collect();
    let beside = found.into_iter().filter_map(|evidence| {
        let attack = *by_id.get(&evidence.attack[..])?;
        Some(Beside { incident: incidents.get(evidence.incident)?, evidence, attack })
    });
    beside.collect()
}

/// What is said of the attacks beside one incident, as sentences; nothing where there are none.
pub fn sentences(case: &Case<'_>, incident: &Incident, all: &[Beside<'_>]) -> Vec<String> {
    let own: Vec<&Beside<'_>> = all.iter().filter(|beside| beside.incident.id == incident.id).collect();
    let Some(largest) = own.iter().max_by_key(|beside| beside.attack.impact.peak.pps) else {
        return Vec::new();
    };
    let lying = [Lies::Before, Lies::Across, Lies::Within].map(|lies| {
        let count = own.iter().filter(|beside| beside.evidence.lies == lies).count();
        (count > 0).then(|| format!("{count} {}", words(lies)))
    });
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
    let by = largest.attack.vectors.first().map(|vector| format!(", by {}", means::vector(vector.kind)));
    vec![
        format!("{attacks} on addresses of {place}{between} UTC: {}.", listed(&lying)),
        format!(
            "The largest had up to {} and {}, at {} from {}{}.",
            packets(peak.pps),
            bits(peak.bps),
            largest.attack.target,
            times::stamp(largest.attack.start.latest),
            by.unwrap_or_default()
        ),
        COINCIDENCE.to_owned(),
    ]
}
