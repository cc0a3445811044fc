//! Which attacks a reader should know of who looks at an incident. That one overlaps it, or came before it, is a fact with its
//! times; that it caused it is a conclusion that neither flows nor routes allow, and none is drawn here.

use super::report::Attack;
use crate::entity::Entity;
use crate::report::Interval;
use gonedark_route::Time;

/// How an attack lies to an incident in time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub enum Lies {
    /// It had ended before the incident began.
    Before,
    /// It went on when the incident began, or may have, as far as the times are known.
    Across,
    /// It began within the incident.
    Within,
}

impl Lies {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Lies::Before => "before",
            Lies::Across => "across",
            Lies::Within => "within",
        }
    }
}

/// An incident as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IncidentSpan {
    /// Of whom.
    pub entity: Entity,
    /// When its worst began.
    pub onset: Interval,
    /// When it had ended for certain; `None` while it lasts.
    pub until: Option<Time>,
}

impl From<&crate::report::Incident> for IncidentSpan {
    fn from(incident: &crate::report::Incident) -> Self {
        let first = incident.phases.first().map_or(incident.onset.earliest, |phase| phase.from);
        let onset = Interval {
            earliest: incident.onset.earliest.min(first),
            latest: incident.onset.latest.max(incident.onset.vote),
        };
        IncidentSpan {
            entity: incident.entity,
            onset,
            until: incident.recovery.map(|recovery| recovery.latest.max(recovery.vote)),
        }
    }
}

/// A dated fact beside an incident.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct AttackEvidence {
    /// Which incident, by its place in what was given.
    pub incident: usize,
    /// Which attack, by its id.
    pub attack: String,
    /// How it lies to the incident in time.
    pub lies: Lies,
    /// Microseconds from the end of the attack to the onset, for one that lies before: at least and at most.
    pub before: Option<(i64, i64)>,
}

/// The attacks that bear on each incident: on the same entity, or on something in it, that overlap it or ended at most
/// `precedes` microseconds before its onset. In order of the incidents, then of the attacks.
///
/// `now` is up to when attacks were looked for. Parts of an attack on an aggregate are left to that.
pub fn evidence(
    incidents: &[IncidentSpan],
    attacks: &[Attack],
    precedes: i64,
    now: Time,
) -> Vec<AttackEvidence> {
    let mut found = Vec::new();
    for (number, incident) in incidents.iter().enumerate() {
        let bears =
            attacks.iter().filter(|attack| attack.part_of.is_none() && concerns(attack, incident.entity));
        found.extend(bears.filter_map(|attack| {
            let (lies, before) = lies(attack, incident, precedes, now)?;
            Some(AttackEvidence { incident: number, attack: attack.id.clone(), lies, before })
        }));
    }
    found
}

/// Whether an attack is on an entity or on something in it.
fn concerns(attack: &Attack, entity: Entity) -> bool {
    let within = |other: &Entity| match (entity, other) {
        (Entity::Prefix(around), Entity::Prefix(inner)) => around.covers(*inner),
        _ => *other == entity,
    };
    let of_target = match (entity, attack.target) {
        (Entity::Prefix(around), super::report::Target::Block(block)) => around.covers(block),
        (Entity::Prefix(around), super::report::Target::Host(address)) => {
            let host = match address {
                std::net::IpAddr::V4(address) => gonedark_route::Prefix::v4(address, 32),
                std::net::IpAddr::V6(address) => gonedark_route::Prefix::v6(address, 128),
            };
            host.is_some_and(|host| around.covers(host))
        }
        _ => false,
    };
    of_target || attack.entities.iter().any(within)
}

fn lies(
    attack: &Attack,
    incident: &IncidentSpan,
    precedes: i64,
    now: Time,
) -> Option<(Lies, Option<(i64, i64)>)> {
    let span = attack.span(now);
    if incident.until.is_some_and(|until| attack.start.earliest > until) {
        return None;
    }
    if attack.start.earliest > incident.onset.latest {
        return Some((Lies::Within, None));
    }
    if span.latest >= incident.onset.earliest {
        return Some((Lies::Across, None));
    }
    let ended = attack.stop.map_or(span, |stop| stop);
    let least = incident.onset.earliest - ended.latest;
    let most = incident.onset.latest - ended.earliest;
    (least <= precedes).then_some((Lies::Before, Some((least, most))))
}

#[cfg(test)]
mod tests {
    use super::super::kind::Misuse;
    use super::super::report::{AlertType, Coverage, Direction, Estimate, Impact, Severity, Target, Unit};
    use super::*;
    use crate::entity::CountryCode;
    use gonedark_route::Prefix;

    /// 22 December 2014, 16:15 UTC.
    const ONSET: i64 = 1_419_264_900;
    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;

    fn at(second: i64) -> Time {
        Time::from_seconds(ONSET + second)
    }

    fn attack(from: i64, until: Option<i64>) -> Attack {
        let north_korea = CountryCode::new("KP").expect("a code");
        Attack {
            id: format!("attack-{from}"),
            alert_type: AlertType::Host,
            target: Target::Host("175.45.176.8".parse().expect("an address")),
            entities: vec![Entity::Country(north_korea)],
            family: None,
            direction: Direction::Inbound,
            start: Interval::at(at(from)),
            detected: at(from + 1),
            stop: until.map(|until| Interval { earliest: at(until), latest: at(until + 1) }),
            is_fast: false,
            impact: Impact::default(),
            severity: Severity {
                percent: 120,
                threshold: 20_000,
                unit: Unit::Packets,
                misuse: Misuse::Total,
            },
            misuses: Vec::new(),
            vectors: Vec::new(),
            sources: Estimate::default(),
            targets: Estimate::default(),
            top_targets: Vec::new(),
            top_ports: Vec::new(),
            coverage: Coverage::default(),
            part_of: None,
        }
    }

    fn outage(entity: Entity) -> IncidentSpan {
        let onset = Interval { earliest: at(-600), latest: at(0) };
        IncidentSpan { entity, onset, until: Some(at(34_260)) }
    }

    fn told(attacks: &[Attack], entity: Entity) -> Vec<(String, Lies)> {
        let found = evidence(&[outage(entity)], attacks, 5 * DAY * 1_000_000, at(40 * DAY));
        found.into_iter().map(|one| (one.attack, one.lies)).collect()
    }

    #[test]
    fn attacks_that_overlap_an_outage_or_precede_it_by_days_are_told_beside_it_and_later_ones_are_not() {
        let kp = Entity::Country(CountryCode::new("KP").expect("a code"));
        let attacks = [
            attack(-6 * DAY, Some(-6 * DAY + HOUR)),
            attack(-2 * DAY, Some(-2 * DAY + HOUR)),
            attack(-HOUR, Some(HOUR)),
            attack(HOUR, Some(2 * HOUR)),
            attack(DAY, Some(DAY + HOUR)),
        ];
        let told = told(&attacks, kp);
        let told: Vec<(&str, Lies)> = told.iter().map(|(id, lies)| (id.as_str(), *lies)).collect();
        assert_eq!(
            told,
            [("attack--172800", Lies::Before), ("attack--3600", Lies::Across), ("attack-3600", Lies::Within)]
        );
    }

    #[test]
    fn an_attack_on_somebody_else_is_no_evidence() {
        let utopia = Entity::Country(CountryCode::new("UT").expect("a code"));
        assert_eq!(told(&[attack(-HOUR, None)], utopia), []);
        let around: Prefix = "175.45.176.0/22".parse().expect("a prefix");
        assert_eq!(told(&[attack(-HOUR, None)], Entity::Prefix(around)).len(), 1);
    }

    #[test]
    fn a_part_of_an_attack_is_left_to_the_whole() {
        let kp = Entity::Country(CountryCode::new("KP").expect("a code"));
        let mut part = attack(-HOUR, None);
        part.part_of = Some("attack-whole".to_owned());
        assert_eq!(told(&[part], kp), []);
    }

    #[test]
    fn how_long_before_is_as_wide_as_both_times() {
        let kp = Entity::Country(CountryCode::new("KP").expect("a code"));
        let found = evidence(&[outage(kp)], &[attack(-2 * HOUR, Some(-HOUR))], DAY * 1_000_000, at(DAY));
        let least = (HOUR - 600 - 1) * 1_000_000;
        assert_eq!(found[0].before, Some((least, HOUR * 1_000_000)));
    }
}
