//! In which order incidents are told: those asked for first, then the worst.
//!
//! A bare list by time is unreadable once there are hundreds; size times severity is what the daily report of
//! ANT/Trinocular ranks by (Bogutz, Pradkin, Heidemann, "Identifying Important Internet Outages").

use super::Case;
use super::course::Course;
use gonedark_infer::entity::Entity;
use gonedark_infer::report::Incident;
use gonedark_route::{Family, Time};
use std::cmp::Reverse;

impl<'a> Case<'a> {
    /// Whether the run asked for this entity by name.
    pub fn asked_for(&self, entity: &Entity) -> bool {
        self.report.entities.iter().any(|status| status.entity == *entity)
    }

    /// All incidents: of entities asked for first; unstable alone after lasting losses; then by level, networks lost,
    /// duration, entity and begin.
    pub fn ranked(&self) -> Vec<&'a Incident> {
        let mut incidents: Vec<&Incident> = self.report.incidents.iter().collect();
        incidents.sort_by_cached_key(|incident| {
            (
                !self.asked_for(&incident.entity),
                incident.is_unstable_only(),
                Reverse(incident.level),
                Reverse(networks_lost(incident)),
                Reverse(self.longest(incident)),
                incident.entity,
                incident.begin(),
            )
        });
        incidents
    }

    /// The entities that a picture shows: those of the ranked incidents, then those asked for that had none.
    pub fn picture_entities(&self, most: usize) -> Vec<Entity> {
        let mut entities = Vec::new();
        let asked = self.report.entities.iter().map(|status| status.entity);
        for entity in self.ranked().into_iter().map(|incident| incident.entity).chain(asked) {
            if entities.len() < most && !entities.contains(&entity) && self.has_series(&entity) {
                entities.push(entity);
            }
        }
        entities
    }

    fn has_series(&self, entity: &Entity) -> bool {
        self.report.series.iter().any(|series| series.entity == *entity)
    }

    /// Seconds that it lasted at most, up to the window's end where it lasts.
    fn longest(&self, incident: &Incident) -> i64 {
        let until = incident.recovery.map_or(self.report.window.1, |turn| turn.latest);
        until.seconds() - incident.onset.earliest.seconds()
    }

    /// Where the incident ends, or the window where it does not.
    pub fn end(&self, incident: &Incident) -> Time {
        incident.phases.last().and_then(|phase| phase.until).unwrap_or(self.report.window.1)
    }
}

/// Networks lost at the worst moment, both families.
pub fn networks_lost(incident: &Incident) -> u64 {
    Family::ALL
        .iter()
        .filter_map(|family| incident.families[*family as usize].as_ref())
        .map(|loss| loss.networks.lost)
        .fold(0, u64::saturating_add)
}
